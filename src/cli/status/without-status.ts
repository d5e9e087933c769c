/**
 * An agent that runs and keeps no status, as in a container without a runtime directory: the lock of its state directory tells
 * that it runs, which is all that can be said of it.
 */

import { existsSync } from 'node:fs';
import { STATUS_EXIT } from '../../app/exit-codes.ts';
import { type Places, runtimeDirectory, stateDirectory } from '../../app/paths.ts';
import { isLocked } from '../../credentials/lock.ts';
import type { StatusAnswer } from './json.ts';

export interface StatusPlaces extends Pick<Places, 'state'> {
  readonly runtime?: string;
}

/** `answer`, unless it says that nothing runs and the lock says otherwise. */
export async function unlessUnseen(
  answer: StatusAnswer,
  places: StatusPlaces,
  environment: NodeJS.ProcessEnv,
): Promise<StatusAnswer> {
  // Another runtime directory is that of another agent, whose state directory is another one, too.
  const isKnown = places.state !== undefined || places.runtime === undefined;
  if (answer.running || !isKnown || !(await isLocked(stateDirectory(places, environment)))) return answer;
  const runtime = runtimeDirectory(places.runtime, environment);
  const why = existsSync(runtime)
    ? `it has written nothing to ${runtime}: it has just started, or may not write there`
    : `there is no ${runtime}: mount a tmpfs there, or set RUNTIME_DIRECTORY to a directory in memory for both "run" and "status"`;
  return {
    ...answer,
    running: true,
    state: 'without status',
    exitCode: STATUS_EXIT.person,
    forS: null,
    since: null,
    pid: null,
    why: [why],
  };
}
