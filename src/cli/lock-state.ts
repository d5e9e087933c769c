/** The lock on the state directory, or why the agent cannot start. */

import { AlreadyRunning } from '../store/already-running.ts';
import { acquireLock, type Lock } from '../store/lock.ts';
import { StoreError } from '../store/store-error.ts';
import { CannotStart } from './cannot-start.ts';
import { EX_TEMPFAIL } from './exit-codes.ts';

/**
 * Two agents on one state directory would provision one device twice; a directory that cannot even be locked
 * is no state.
 */
export async function lockState(state: string): Promise<Lock> {
  try {
    return await acquireLock(state);
  } catch (error) {
    if (!(error instanceof AlreadyRunning || error instanceof StoreError)) throw error;
    const event = error instanceof AlreadyRunning ? 'FL-STATE-LOCKED' : 'FL-STATE-UNUSABLE';
    throw new CannotStart(event, error.message, EX_TEMPFAIL, { cause: error });
  }
}
