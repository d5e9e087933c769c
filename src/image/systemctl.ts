/**
 * Asks the host's systemd to stop the service, where there is one.
 *
 * Never throws: whether the agent really is gone, the lock of its state directory tells afterwards.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { errorMessage } from '../core/model/error-code.ts';

export const SERVICE = 'firstlight.service';
/** sd_booted(3). */
const BOOTED = '/run/systemd/system';
/** The agent ends within seconds; systemd itself gives up after 90. */
const STOP_WITHIN_MS = 100_000;

export type StopResult =
  | { readonly is: 'no systemd' | 'stopped' | 'not installed' }
  | { readonly is: 'failed'; readonly why: string };

export async function stopService(): Promise<StopResult> {
  if (!existsSync(BOOTED)) return { is: 'no systemd' };
  const run = promisify(execFile);
  try {
    await run('systemctl', ['stop', SERVICE], { timeout: STOP_WITHIN_MS });
    return { is: 'stopped' };
  } catch (error) {
    // 5: the unit is not known (systemctl(1), exit status).
    if (error instanceof Error && 'code' in error && error.code === 5) return { is: 'not installed' };
    const errorText = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return { is: 'failed', why: errorText || errorMessage(error) };
  }
}
