/** Stops the service with systemd. Never rejects: the lock of the state directory shows whether the agent has stopped. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { errorMessage } from '../core/model/error-code.ts';

export const SERVICE = 'firstlight.service';
/** sd_booted(3). */
const BOOTED = '/run/systemd/system';
/** The agent stops within seconds; systemd gives up after 90 s. */
const STOP_TIMEOUT_MS = 100_000;

export type StopResult =
  | { readonly is: 'no systemd' | 'stopped' | 'not installed' }
  | { readonly is: 'failed'; readonly reason: string };

export async function stopService(): Promise<StopResult> {
  if (!existsSync(BOOTED)) return { is: 'no systemd' };
  const run = promisify(execFile);
  try {
    await run('systemctl', ['stop', SERVICE], { timeout: STOP_TIMEOUT_MS });
    return { is: 'stopped' };
  } catch (error) {
    // 5: the unit is not known (systemctl(1), exit status).
    if (error instanceof Error && 'code' in error && error.code === 5) return { is: 'not installed' };
    const errorText = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return { is: 'failed', reason: errorText || errorMessage(error) };
  }
}
