/**
 * The stored form of the server's settings, version 1:
 *
 * {"version":1, "board":["serial:…"], "localUrls":["coap://…"], "values":{"telemetry.interval":{"text":"30s","sinceMs":…}},
 *  "rejected":{"server.url":"coap://…"}}. `rejected` has null for a deletion that was taken back. `localUrls` is server.url of the
 * gateway when the stored server.url was confirmed; it is present only beside it.
 */

import type { Fingerprint } from '../model/board-fingerprint.ts';
import { isJsonObject, type JsonObject } from '../model/json-object.ts';
import type { ConfirmedSetting, StoredSettings, Wish } from './settings-trial.ts';

export const SETTINGS_VERSION = 1;

export interface SettingsRecord extends StoredSettings {
  /** Of the board that stored them. */
  readonly board: Fingerprint;
  readonly localUrls?: readonly string[];
}

export type ParsedSettings =
  | { readonly is: 'good'; readonly record: SettingsRecord }
  /** A problem continues the sentence "the file …". */
  | { readonly is: 'bad' | 'newer'; readonly problem: string };

/** More than any version has settings; bounds a damaged file. */
const ENTRIES_MAX = 256;
const TEXT_CHARACTERS_MAX = 4096;

export function settingsToDisk({ confirmed, rejected, board, localUrls }: SettingsRecord): JsonObject {
  return {
    version: SETTINGS_VERSION,
    ...(board.length > 0 && { board }),
    ...(localUrls && { localUrls }),
    values: Object.fromEntries(confirmed),
    ...(rejected.size > 0 && { rejected: Object.fromEntries(rejected) }),
  };
}

/** Keys of another version are kept: the caller knows which exist. */
export function settingsFromDisk(stored: JsonObject): ParsedSettings {
  const { version } = stored;
  if (typeof version === 'number' && version > SETTINGS_VERSION) {
    const problem = `has version ${version} of a newer agent; this agent supports version ${SETTINGS_VERSION}`;
    return { is: 'newer', problem };
  }
  if (version !== SETTINGS_VERSION) return { is: 'bad', problem: 'has no known version' };
  const confirmed = readMap(stored['values'], readConfirmed);
  const rejected = readMap(stored['rejected'] ?? {}, readWish);
  const board = readTexts(stored['board'] ?? []);
  const localUrls = readTexts(stored['localUrls'] ?? []);
  if (!confirmed || !rejected || !board || !localUrls) return { is: 'bad', problem: 'has an invalid entry' };
  const urls = localUrls.length > 0 && { localUrls };
  return { is: 'good', record: { confirmed, rejected, board, ...urls } };
}

function readMap<T>(
  value: unknown,
  read: (entry: unknown) => T | undefined,
): ReadonlyMap<string, T> | undefined {
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > ENTRIES_MAX) return undefined;
  const map = new Map<string, T>();
  for (const [key, raw] of entries) {
    const entry = read(raw);
    if (entry === undefined) return undefined;
    map.set(key, entry);
  }
  return map;
}

function readConfirmed(entry: unknown): ConfirmedSetting | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { sinceMs } = entry;
  const text = readText(entry['text']);
  return text === undefined || typeof sinceMs !== 'number' ? undefined : { text, sinceMs };
}

function readWish(entry: unknown): Wish | undefined {
  return entry === null ? null : readText(entry);
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= TEXT_CHARACTERS_MAX ? value : undefined;
}

function readTexts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
}
