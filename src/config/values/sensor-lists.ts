/**
 * The lists of the table [sensors] as operators write them: globs, intervals, new names, factors and offsets.
 *
 * Only the text is judged here; whether there are sensors and keys of those names is asked in sensor-names.ts.
 */

import { formatDurationSetting } from '../../core/model/format-duration.ts';
import { parseDuration } from './duration.ts';
import {
  KEY_CHARACTERS_MAX,
  KEY_GLOB,
  PAIRS_MAX,
  type ParseValue,
  parsePairs,
  plainNumber,
} from './key-values.ts';

export const GLOBS_MAX = PAIRS_MAX;
export const INTERVAL_MS_MIN = 1000;
export const INTERVAL_MS_MAX = 24 * 3_600_000;
/** What a factor or an offset may be, either way. */
export const FACTOR_MAX = 1e12;

/** ThingsBoard takes any text; this is what can be written in a widget's settings without thinking. */
const NEW_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
/** `ts` and `values` together are a reading's envelope (contract 4.1), and `deleted` is what the server calls a removal. */
export const RESERVED_NAMES: readonly string[] = ['ts', 'values', 'deleted'];

/** "net*, hwmon": the globs, or what is wrong with them. */
export function parseGlobs(text: string): readonly string[] | string {
  if (text.trim() === '') return [];
  const globs = text.split(',').map((part) => part.trim());
  if (globs.length > GLOBS_MAX) return `has more than ${GLOBS_MAX} names`;
  for (const [index, glob] of globs.entries()) {
    if (!KEY_GLOB.test(glob)) return `has something other than a name or a glob as part ${index + 1}`;
    if (glob.length > KEY_CHARACTERS_MAX) return `has a name that is too long as part ${index + 1}`;
  }
  return globs;
}

/** "hwmon=60s, filesystem=5m": ms by the name of a sensor. */
export function parseIntervals(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: /^[A-Za-z0-9]+$/, syntax: 'sensor=duration', parse: parseInterval });
}

/** "tempOld=boilerTemperatureC": the new name by the key. */
export function parseRenames(text: string): ReadonlyMap<string, string> | string {
  const renames = parsePairs(text, { name: /^[A-Za-z0-9]+$/, syntax: 'key=new name', parse: parseNewName });
  if (typeof renames === 'string') return renames;
  const duplicate = [...renames.values()].findIndex((name, index, all) => all.indexOf(name) !== index);
  return duplicate === -1 ? renames : `gives a name for the second time as part ${duplicate + 1}`;
}

/** "netEth0*=0.001": by what the values of a key or glob are multiplied. */
export function parseScales(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: KEY_GLOB, syntax: 'key=number', parse: parseScale });
}

/** "cpuTemperatureC=-1.5": what is added to the values of a key or glob. */
export function parseOffsets(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: KEY_GLOB, syntax: 'key=number', parse: parseOffset });
}

const parseInterval: ParseValue<number> = (text) => {
  const ms = parseDuration(text);
  if (ms === undefined) return { problem: '' };
  if (ms < INTERVAL_MS_MIN) return { problem: `an interval below ${formatDurationSetting(INTERVAL_MS_MIN)}` };
  return ms > INTERVAL_MS_MAX
    ? { problem: `an interval above ${formatDurationSetting(INTERVAL_MS_MAX)}` }
    : { value: ms };
};

const parseNewName: ParseValue<string> = (text) => {
  if (!NEW_NAME.test(text)) return { problem: 'a new name that is none' };
  return RESERVED_NAMES.includes(text)
    ? { problem: `a name the server keeps for itself (${text})` }
    : { value: text };
};

const parseScale: ParseValue<number> = (text) => {
  const factor = parseFactor(text);
  if (factor === 0) return { problem: 'a factor of 0' };
  return factor === undefined ? { problem: '' } : { value: factor };
};

const parseOffset: ParseValue<number> = (text) => {
  const value = parseFactor(text);
  return value === undefined ? { problem: '' } : { value: value };
};

/** A plain number within the bound. */
export function parseFactor(text: string): number | undefined {
  const number = plainNumber(text);
  return number !== undefined && Math.abs(number) <= FACTOR_MAX ? number : undefined;
}
