/**
 * Reads the shared attributes of the server: which of them are settings, and whether each value is valid by itself. Attributes
 * of others are ignored; a name that is nearly one of ours is a problem, because it is probably a typing error.
 */

import * as v from 'valibot';
import { nearestWord } from './errors/nearest-word.ts';
import { type Problem, problemAt, type Source } from './errors/problem.ts';
import { formatKey, formatValue } from './schema/display.ts';
import { attributeOf, pathOf, type Setting } from './schema/setting.ts';
import { allSettings, remoteSettings } from './schema/settings.ts';
import { exampleFor } from './sources/reader.ts';
import { attributeText } from './values/attribute-value.ts';

export interface SharedAttributes {
  /** By the key of the setting, the value as text; undefined if it is refused. */
  readonly values: ReadonlyMap<string, string | undefined>;
  /** By attribute, the problem of its value or name. */
  readonly problems: ReadonlyMap<string, Problem>;
}

const BY_ATTRIBUTE = new Map(remoteSettings.map((setting) => [attributeOf(setting), setting]));
const ATTRIBUTES = [...BY_ATTRIBUTE.keys()];
/** Settings of the same tables that only the gateway may set. */
const LOCAL_ONLY = new Map(localNeighbours().map((setting) => [attributeOf(setting), setting]));

/** Names that are compared with ours, in one update; more would cost a hostile server nothing and this host its CPU. */
const COMPARED_NAMES_MAX = 16;
/** Longer than any attribute of ours by more than a typing error. */
const COMPARED_CHARACTERS_MAX = 24;
/** One or two letters: with more, attributes of others would look like ours. */
const TYPING_ERROR_SHARE = 1 / 8;

export function keyOfAttribute(name: string): string | undefined {
  return BY_ATTRIBUTE.get(name)?.key;
}

/** Before the name of an attribute as the source of a value. */
export const ATTRIBUTE_SOURCE = 'shared attribute ';

/** The source of a value, for messages. */
export function attributeSource(name: string): Source {
  return { name: `${ATTRIBUTE_SOURCE}${name}`, via: 'attribute' };
}

/** `attributes` may be hostile: any keys, any JSON values. */
export function readSharedAttributes(attributes: Readonly<Record<string, unknown>>): SharedAttributes {
  const values = new Map<string, string | undefined>();
  const problems = new Map<string, Problem>();
  for (const [name, setting] of BY_ATTRIBUTE) {
    if (!Object.hasOwn(attributes, name)) continue;
    const result = readValue(setting, attributes[name]);
    values.set(setting.key, result.text);
    if (result.problem) problems.set(name, result.problem);
  }
  for (const [name, problem] of nameProblems(Object.keys(attributes))) problems.set(name, problem);
  return { values, problems };
}

function readValue(setting: Setting, raw: unknown): { readonly text?: string; readonly problem?: Problem } {
  const converted = attributeText(raw, setting.type === 'list' || setting.type === 'URL');
  if ('problem' in converted) return { problem: valueProblem(setting, raw, converted.problem) };
  const result = v.safeParse(setting.schema, converted.text, { abortPipeEarly: true });
  return result.success
    ? { text: converted.text }
    : { problem: valueProblem(setting, converted.text, result.issues[0].message) };
}

/** `what` continues the sentence `<key> = <value> …`. */
export function valueProblem(setting: Setting, raw: unknown, what: string): Problem {
  const source = attributeSource(attributeOf(setting));
  const { key, bound } = setting;
  return problemAt(source, {
    what,
    key,
    value: formatValue(setting, raw),
    bound,
    example: exampleFor(setting, source),
  });
}

function nameProblems(names: readonly string[]): readonly (readonly [string, Problem])[] {
  return names
    .filter((name) => !BY_ATTRIBUTE.has(name) && name.length <= COMPARED_CHARACTERS_MAX)
    .slice(0, COMPARED_NAMES_MAX)
    .flatMap((name) => {
      const what = describeName(name);
      return what === undefined
        ? []
        : [[name, problemAt(attributeSource(formatKey([name])), { what })] as const];
    });
}

/** Undefined for a name that is not similar to one of ours. */
function describeName(name: string): string | undefined {
  const local = LOCAL_ONLY.get(name);
  if (local) return `sets ${local.key}, which only the configuration of the gateway can set`;
  const near = nearestWord(name.replace(/[._-]/g, ''), ATTRIBUTES, TYPING_ERROR_SHARE);
  return near === undefined ? undefined : `is not a setting; did you mean ${near}?`;
}

function localNeighbours(): readonly Setting[] {
  const tables = new Set(remoteSettings.map((setting) => pathOf(setting)[0]));
  return allSettings.filter((setting) => !setting.isRemote && tables.has(pathOf(setting)[0]));
}
