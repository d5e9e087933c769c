/**
 * Detects an agent that runs but writes no status, as in a container without a runtime directory: it holds the lock of its state
 * directory.
 */

import { existsSync } from 'node:fs';
import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { type PathOptions, runtimeDirectory, stateDirectory } from '../../app/paths.ts';
import { isLocked } from '../../credentials/lock.ts';
import type { StatusJson } from './json.ts';

export interface StatusPaths extends Pick<PathOptions, 'state'> {
  readonly runtime?: string;
}

/** Corrects `status` if it reports no running agent although the state directory is locked. */
export async function withLockState(
  status: StatusJson,
  paths: StatusPaths,
  environment: NodeJS.ProcessEnv,
): Promise<StatusJson> {
  // A --runtime without --state names another agent, whose state directory is unknown.
  const isSameAgent = paths.state !== undefined || paths.runtime === undefined;
  if (status.running || !isSameAgent || !(await isLocked(stateDirectory(paths, environment)))) return status;
  const runtime = runtimeDirectory(paths.runtime, environment);
  const reason = existsSync(runtime)
    ? `it has written no status to ${runtime}: it has just started, or it cannot write there`
    : `${runtime} does not exist: mount a tmpfs there, or set RUNTIME_DIRECTORY to a directory in memory for both "run" and "status"`;
  return {
    ...status,
    running: true,
    state: 'without status',
    exitCode: STATUS_EXIT.actionNeeded,
    stateForS: null,
    stateSince: null,
    pid: null,
    reasons: [reason],
  };
}
