/**
 * Parses the lists of the tables [sensors] and [telemetry]: globs, intervals, new names, factors, offsets and deadbands. Whether
 * the named sensors and keys exist is checked in ../sensors.ts. A string result is the problem, continuing `<key> = <value> …`.
 */

import { formatDurationSetting } from '../../core/model/format-duration.ts';
import {
  KEY_CHARACTERS_MAX,
  KEY_GLOB,
  PAIRS_MAX,
  type ParseValue,
  parsePairs,
  plainNumber,
} from './key-values.ts';
import { parseDuration } from './quantities.ts';

export const GLOBS_MAX = PAIRS_MAX;
export const INTERVAL_MS_MIN = 1000;
export const INTERVAL_MS_MAX = 24 * 3_600_000;
/** The largest absolute value of a factor or an offset. */
export const FACTOR_MAX = 1e12;

/** ThingsBoard accepts any text; these characters need no escaping in the settings of a widget. */
const NEW_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;
/** `ts` and `values` form the envelope of a reading (contract 4.1); `deleted` marks a removal on the server. */
export const RESERVED_NAMES: readonly string[] = ['ts', 'values', 'deleted'];

/** "net*, hwmon" */
export function parseGlobs(text: string): readonly string[] | string {
  if (text.trim() === '') return [];
  const globs = text.split(',').map((part) => part.trim());
  if (globs.length > GLOBS_MAX) return `has more than ${GLOBS_MAX} names`;
  for (const [index, glob] of globs.entries()) {
    if (!KEY_GLOB.test(glob)) return `has an invalid part ${index + 1} (expected a name or glob)`;
    if (glob.length > KEY_CHARACTERS_MAX) return `has a name that is too long in part ${index + 1}`;
  }
  return globs;
}

/** "hwmon=60s, filesystem=5m": in ms, by sensor. */
export function parseIntervals(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: /^[A-Za-z0-9]+$/, syntax: 'sensor=duration', parse: parseInterval });
}

/** "tempOld=boilerTemperatureC": new names by key. */
export function parseRenames(text: string): ReadonlyMap<string, string> | string {
  const renames = parsePairs(text, { name: /^[A-Za-z0-9]+$/, syntax: 'key=new name', parse: parseNewName });
  if (typeof renames === 'string') return renames;
  const duplicate = [...renames.values()].findIndex((name, index, all) => all.indexOf(name) !== index);
  return duplicate === -1 ? renames : `repeats a new name in part ${duplicate + 1}`;
}

/** "netEth0*=0.001": factors by key or glob. */
export function parseScales(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: KEY_GLOB, syntax: 'key=number', parse: parseScale });
}

/** "cpuTemperatureC=-1.5": offsets by key or glob. */
export function parseOffsets(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: KEY_GLOB, syntax: 'key=number', parse: parseOffset });
}

/** "cpuTemperatureC=0.5, net*=1000": minimum changes by key or glob, above 0. An exact key takes precedence over a glob. */
export function parseDeadbands(text: string): ReadonlyMap<string, number> | string {
  return parsePairs(text, { name: KEY_GLOB, syntax: 'key=number', parse: parseDeadband });
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
  if (!NEW_NAME.test(text)) return { problem: 'an invalid new name' };
  return RESERVED_NAMES.includes(text)
    ? { problem: `a reserved name of the server (${text})` }
    : { value: text };
};

const parseScale: ParseValue<number> = (text) => {
  const factor = parseFactor(text);
  if (factor === 0) return { problem: 'a factor of 0' };
  return factor === undefined ? { problem: '' } : { value: factor };
};

const parseOffset: ParseValue<number> = (text) => {
  const value = parseFactor(text);
  return value === undefined ? { problem: '' } : { value };
};

const parseDeadband: ParseValue<number> = (text) => {
  const deadband = plainNumber(text);
  if (deadband === undefined || text.startsWith('-')) return { problem: '' };
  return deadband === 0 ? { problem: 'a number that is not above 0' } : { value: deadband };
};

/** A decimal number within FACTOR_MAX, or undefined. */
export function parseFactor(text: string): number | undefined {
  const number = plainNumber(text);
  return number !== undefined && Math.abs(number) <= FACTOR_MAX ? number : undefined;
}
