/** The files of root's part: their places, and those that are JSON. Everything but the result is for root only. */

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
  /** 0700; contains all but the result and the failed updates. */
  readonly private: string;
  readonly result: string;
  /** The updates that failed on this gateway. */
  readonly failed: string;
  readonly state: string;
  /** What `firstlight update apply` wants to have installed. */
  readonly incoming: string;
  readonly newPackage: string;
  readonly oldPackage: string;
  /** The package of the version that is installed, from the last update. */
  readonly keptPackage: string;
}

/** An update that was installed and was not healthy. */
export interface FailedUpdate {
  /** SHA-256 of its manifest, hexadecimal. */
  readonly digest: string;
  readonly problem: string;
}

const STATE_VERSION = 1;
const TEXT_BYTES_MAX = 64 * 1024;
/** The oldest is forgotten. */
const FAILED_MAX = 32;
const PROBLEM_CHARACTERS_MAX = 500;
const OUTCOMES: readonly UpdateResult['outcome'][] = ['updated', 'failed', 'refused', 'replaced'];

export function runFilesIn(directory: string): RunFiles {
  const inside = (name: string) => join(directory, 'run', name);
  return {
    directory,
    private: join(directory, 'run'),
    result: resultFileIn(directory),
    failed: join(directory, 'failed.json'),
    state: inside('state.json'),
    incoming: inside('incoming'),
    newPackage: inside('new.deb'),
    oldPackage: inside('old.deb'),
    keptPackage: inside('kept.deb'),
  };
}

/** Undefined if no update is unfinished. `damaged`: by the disk, because the file is replaced whole. */
export function loadState(
  disk: InstallationDisk,
  { state: file }: Pick<RunFiles, 'state'>,
): InstallationState | 'damaged' | undefined {
  if (disk.size(file) === undefined) return undefined;
  const state = parseJsonObject(disk.readText(file, TEXT_BYTES_MAX) ?? '');
  return state && isState(state) ? state : 'damaged';
}

function isState(value: object): value is InstallationState {
  const { at, run, starts, reason, result } = value as Readonly<Record<string, unknown>>;
  if (!isJsonObject(run) || !isJsonObject(run['before'])) return false;
  if (!['version', 'previous', 'digest'].every((name) => typeof run[name] === 'string')) return false;
  if (at === 'finish') return isJsonObject(result) && OUTCOMES.some((each) => each === result['outcome']);
  if (typeof starts !== 'number') return false;
  return at === 'install' || at === 'gate' || (at === 'return' && typeof reason === 'string');
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
  if (!value || value['schema'] !== STATE_VERSION) return undefined;
  const outcome = OUTCOMES.find((each) => each === value['outcome']);
  if (outcome === undefined) return undefined;
  const word = (name: string) => {
    const text = value[name];
    return typeof text === 'string' ? { [name]: text } : {};
  };
  return { outcome, ...word('request'), ...word('version'), ...word('previous'), ...word('problem') };
}

export function readResult(
  disk: InstallationDisk,
  { result }: Pick<RunFiles, 'result'>,
): UpdateResult | undefined {
  return parseResult(disk.readText(result, TEXT_BYTES_MAX));
}

/** The oldest first. */
export function readFailed(
  disk: InstallationDisk,
  { failed }: Pick<RunFiles, 'failed'>,
): readonly FailedUpdate[] {
  const list = parseJsonObject(disk.readText(failed, TEXT_BYTES_MAX) ?? '')?.['failed'];
  if (!Array.isArray(list)) return [];
  return list.flatMap((each): FailedUpdate[] => {
    const { digest, problem } = isJsonObject(each) ? each : ({} as Record<string, unknown>);
    return typeof digest === 'string' && typeof problem === 'string' ? [{ digest, problem }] : [];
  });
}

/** Remembers that the update failed or, without a problem, that it did not. */
export function rememberFailed(
  disk: InstallationDisk,
  files: Pick<RunFiles, 'failed'>,
  digest: string,
  problem: string | undefined,
): void {
  const before = readFailed(disk, files);
  const failed = before.filter((each) => each.digest !== digest);
  if (problem === undefined && failed.length === before.length) return;
  if (problem !== undefined) failed.push({ digest, problem: problem.slice(0, PROBLEM_CHARACTERS_MAX) });
  const list = { schema: STATE_VERSION, failed: failed.slice(-FAILED_MAX) };
  disk.replaceText(files.failed, `${JSON.stringify(list)}\n`, 0o600);
}
