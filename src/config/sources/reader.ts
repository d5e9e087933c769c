/**
 * A value as some source gave it, before anyone has judged it; and the reader that judges.
 *
 * Every source has to be right on its own: a wrong value is a problem even where a later source overrides it,
 * because the day that source goes away is no day to find out. Of several right ones the last wins.
 */

import * as v from 'valibot';
import { formatSource, type Problem, problemAt, type Source } from '../errors/problem.ts';
import { formatValue } from '../schema/display.ts';
import { pathOf, type Setting, variableOf } from '../schema/setting.ts';

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

/** The value that counts, and where it was given, unless it is the built-in one. */
export interface Effective<T> {
  readonly value: T;
  readonly explicit: Parsed<T> | undefined;
}

export class Reader {
  /** Every problem found so far. */
  readonly problems: Problem[] = [];
  /** Key to the place whose value won. */
  readonly sources: Record<string, string> = {};
  /** Key to the value that won, as it may be shown: never a secret. */
  readonly values: Record<string, string> = {};
  readonly #rawSettings: readonly RawSetting[];

  /** `given` in rising order of precedence. */
  constructor(rawSettings: readonly RawSetting[]) {
    this.#rawSettings = rawSettings;
  }

  isSet(setting: Setting): boolean {
    return this.#rawSettings.some((each) => each.setting === setting);
  }

  /** The source of the last value given, right or wrong. */
  sourceOf(setting: Setting): Source | undefined {
    return this.#rawSettings.findLast((each) => each.setting === setting)?.source;
  }

  /** Whether the values of `one` take precedence over those of `other`; both have given some. */
  isLater(one: Source, other: Source): boolean {
    const rank = ({ name }: Source) => this.#rawSettings.findIndex(({ source }) => source.name === name);
    return rank(one) > rank(other);
  }

  /** The right values of a setting in rising order of precedence; the wrong ones become problems. */
  all<T>(setting: Setting<T>): readonly Parsed<T>[] {
    const valid: Parsed<T>[] = [];
    for (const { raw, source } of this.#rawSettings.filter((each) => each.setting === setting)) {
      const value = this.validate(setting, raw, source);
      if (value !== undefined) valid.push({ value: value.value, raw, source });
    }
    return valid;
  }

  /** The value that wins, if any is right. */
  last<T>(setting: Setting<T>): T | undefined {
    return this.#lastValid(setting)?.value;
  }

  /** The value that wins, or the built-in one. */
  lastOrDefault<T>(setting: Setting<T> & { readonly default: string }): T {
    return this.effective(setting).value;
  }

  /** The same, and how it was given, if it was. */
  effective<T>(setting: Setting<T> & { readonly default: string }): Effective<T> {
    this.sources[setting.key] = 'default';
    this.values[setting.key] = formatValue(setting, setting.default);
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
    return last;
  }

  /** One value of one source: right, or a problem more. */
  validate<T>(setting: Setting<T>, raw: unknown, source: Source): { readonly value: T } | undefined {
    const result = v.safeParse(setting.schema, raw, { abortPipeEarly: true });
    if (result.success) return { value: result.output };
    this.addProblem(setting, { raw, source }, result.issues[0].message);
    return undefined;
  }

  /** A problem more: what is wrong with a value, continuing the sentence that begins with it. */
  addProblem(setting: Setting, { raw, source }: Pick<Parsed<unknown>, 'raw' | 'source'>, what: string): void {
    const { key, bound } = setting;
    const example = exampleFor(setting, source);
    this.problems.push(problemAt(source, { what, key, value: formatValue(setting, raw), bound, example }));
  }
}

/** That a setting is not there, said at the source where one would put it. */
export function missingProblem(setting: Setting, source: Source, what: string): Problem {
  const { key, bound } = setting;
  return problemAt(source, { what, key, bound, example: exampleFor(setting, source) });
}

/** How one would write the setting in that source. */
export function exampleFor(setting: Setting, source: Pick<Source, 'via'>): string | undefined {
  switch (source.via) {
    case 'file':
      return `${pathOf(setting)[1]} = "${setting.example}"`;
    case 'environment':
      return `${variableOf(setting)}=${setting.example}`;
    case 'credential':
      return undefined;
  }
}
