/**
 * Validates the raw values of all sources and picks the effective ones. The last valid value takes precedence.
 *
 * An invalid value is a problem even if a later source overrides it, because that source may be removed one day.
 */

import * as v from 'valibot';
import { formatSource, type Problem, problemAt, type Source } from '../errors/problem.ts';
import { formatValue } from '../schema/display.ts';
import { attributeOf, pathOf, type Setting, variableOf } from '../schema/setting.ts';

export interface RawSetting {
  readonly setting: Setting;
  readonly raw: unknown;
  readonly source: Source;
}

export interface Parsed<T> {
  readonly value: T;
  readonly raw: unknown;
  readonly source: Source;
}

/** The effective value; `explicit` unless it is the default. */
export interface Effective<T> {
  readonly value: T;
  readonly explicit: Parsed<T> | undefined;
}

export class Reader {
  /** All problems so far. */
  readonly problems: Problem[] = [];
  /** By key, the source of the effective value. */
  readonly sources: Record<string, string> = {};
  /** By key, the effective value as it may be shown. */
  readonly values: Record<string, string> = {};
  /** By key, the effective value as text; not for secrets. */
  readonly texts: Record<string, string> = {};
  readonly #rawSettings: readonly RawSetting[];

  /** `rawSettings` in ascending order of precedence. */
  constructor(rawSettings: readonly RawSetting[]) {
    this.#rawSettings = rawSettings;
  }

  isSet(setting: Setting): boolean {
    return this.#rawSettings.some((each) => each.setting === setting);
  }

  /** The source of the last value, valid or not. */
  sourceOf(setting: Setting): Source | undefined {
    return this.#rawSettings.findLast((each) => each.setting === setting)?.source;
  }

  /** Whether the values of `one` take precedence over those of `other`. Both must have values. */
  isLater(one: Source, other: Source): boolean {
    const rank = ({ name }: Source) => this.#rawSettings.findIndex(({ source }) => source.name === name);
    return rank(one) > rank(other);
  }

  /** The valid values of a setting in ascending order of precedence; invalid ones become problems. */
  all<T>(setting: Setting<T>): readonly Parsed<T>[] {
    const valid: Parsed<T>[] = [];
    for (const { raw, source } of this.#rawSettings.filter((each) => each.setting === setting)) {
      const value = this.validate(setting, raw, source);
      if (value !== undefined) valid.push({ value: value.value, raw, source });
    }
    return valid;
  }

  /** The effective value, if any is valid. */
  last<T>(setting: Setting<T>): T | undefined {
    return this.#lastValid(setting)?.value;
  }

  /** The effective value or the default. */
  lastOrDefault<T>(setting: Setting<T> & { readonly default: string }): T {
    return this.effective(setting).value;
  }

  /** The same, with its source unless it is the default. */
  effective<T>(setting: Setting<T> & { readonly default: string }): Effective<T> {
    this.sources[setting.key] = 'default';
    this.values[setting.key] = formatValue(setting, setting.default);
    this.#setText(setting, setting.default);
    const explicit = this.#lastValid(setting);
    return explicit === undefined
      ? { value: v.parse(setting.schema, setting.default), explicit }
      : { value: explicit.value, explicit };
  }

  #lastValid<T>(setting: Setting<T>): Parsed<T> | undefined {
    const last = this.all(setting).at(-1);
    if (last === undefined) return undefined;
    this.sources[setting.key] = formatSource(last.source);
    this.values[setting.key] = formatValue(setting, last.raw);
    this.#setText(setting, last.raw);
    return last;
  }

  #setText(setting: Setting, raw: unknown): void {
    if (setting.type !== 'secret')
      this.texts[setting.key] = Array.isArray(raw) ? raw.join(', ') : String(raw);
  }

  /** One value of one source. If it is invalid, adds a problem. */
  validate<T>(setting: Setting<T>, raw: unknown, source: Source): { readonly value: T } | undefined {
    const result = v.safeParse(setting.schema, raw, { abortPipeEarly: true });
    if (result.success) return { value: result.output };
    this.addProblem(setting, { raw, source }, result.issues[0].message);
    return undefined;
  }

  /** `what` continues the sentence `<key> = <value> …`. */
  addProblem(setting: Setting, { raw, source }: Pick<Parsed<unknown>, 'raw' | 'source'>, what: string): void {
    const { key, bound } = setting;
    const example = exampleFor(setting, source);
    this.problems.push(problemAt(source, { what, key, value: formatValue(setting, raw), bound, example }));
  }
}

/** A missing setting, reported at the source where it belongs. */
export function missingProblem(setting: Setting, source: Source, what: string): Problem {
  const { key, bound } = setting;
  return problemAt(source, { what, key, bound, example: exampleFor(setting, source) });
}

/** The setting as an assignment in that source. */
export function exampleFor(setting: Setting, source: Pick<Source, 'via'>): string | undefined {
  switch (source.via) {
    case 'file':
      return `${pathOf(setting)[1]} = "${setting.example}"`;
    case 'environment':
      return `${variableOf(setting)}=${setting.example}`;
    case 'attribute':
      return `${attributeOf(setting)} = "${setting.example}"`;
    case 'credential':
      return undefined;
  }
}
