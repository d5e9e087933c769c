/** The files of root's part: their places, and the two that are JSON. Everything but the result is for root only. */

import { join } from 'node:path';
import { isJsonObject, parseJsonObject } from '../../core/model/json-object.ts';
import type { InstallationState, UpdateResult } from '../../core/update/installation.ts';
import type { InstallationDisk } from './ports.ts';

export const UPDATE_DIRECTORY = '/var/lib/firstlight-update';
/** For any user, so that the agent can report it. */
export const resultFileIn = (directory: string): string => join(directory, 'result.json');

export interface RunFiles {
  /** Readable for all. */
  readonly directory: string;
  /** 0700; contains all but the result. */
  readonly private: string;
  readonly result: string;
  readonly state: string;
  /** The own copy of the update file. */
  readonly update: string;
  /** What `firstlight update apply` wants to have installed. */
  readonly incoming: string;
  readonly newPackage: string;
  readonly oldPackage: string;
  /** The package of the version that is installed, from the last update. */
  readonly keptPackage: string;
}

const STATE_VERSION = 1;
const TEXT_BYTES_MAX = 64 * 1024;

export function runFilesIn(directory: string): RunFiles {
  const inside = (name: string) => join(directory, 'run', name);
  return {
    directory,
    private: join(directory, 'run'),
    result: resultFileIn(directory),
    state: inside('state.json'),
    update: inside('update'),
    incoming: inside('incoming'),
    newPackage: inside('new.deb'),
    oldPackage: inside('old.deb'),
    keptPackage: inside('kept.deb'),
  };
}

/** Undefined if no update is unfinished. A damaged file cannot happen, because it is replaced whole; it counts as none. */
export function loadState(
  disk: InstallationDisk,
  { state }: Pick<RunFiles, 'state'>,
): InstallationState | undefined {
  const value = parseJsonObject(disk.readText(state, TEXT_BYTES_MAX) ?? '');
  if (!value || !isJsonObject(value['run'])) return undefined;
  return value as unknown as InstallationState;
}

export function writeResult(
  disk: InstallationDisk,
  { result: file }: Pick<RunFiles, 'result'>,
  result: UpdateResult,
): void {
  disk.replaceText(file, `${JSON.stringify({ schema: STATE_VERSION, ...result })}\n`, 0o644);
}

/** The result of the last update; undefined if there was none. */
export function parseResult(text: string | undefined): UpdateResult | undefined {
  const value = parseJsonObject(text ?? '');
  const { schema, outcome } = value ?? {};
  if (!value || schema !== STATE_VERSION) return undefined;
  if (outcome !== 'updated' && outcome !== 'failed' && outcome !== 'refused') return undefined;
  const word = (name: string) => {
    const text = value[name];
    return typeof text === 'string' ? { [name]: text } : {};
  };
  return { outcome, ...word('file'), ...word('version'), ...word('previous'), ...word('problem') };
}

export function readResult(
  disk: InstallationDisk,
  { result }: Pick<RunFiles, 'result'>,
): UpdateResult | undefined {
  return parseResult(disk.readText(result, TEXT_BYTES_MAX));
}
