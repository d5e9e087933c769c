/**
 * `provisioning.after-success = "forget"`: deletes the provisioning secret's file once credentials are
 * stored.
 *
 * Called after the credentials are durable, at every start again until it is gone, because the power may fail
 * in between. A file that cannot be deleted is told and is no reason to stop.
 */

import { unlink } from 'node:fs/promises';
import type { Config } from '../core/config.ts';
import type { Logger } from '../core/ports.ts';

export async function forgetSecret(provisioning: Config['provisioning'], log: Logger): Promise<void> {
  if (provisioning?.afterSuccess !== 'forget' || provisioning.secretFile === undefined) return;
  const file = provisioning.secretFile;
  try {
    await unlink(file);
    log.info('the provisioning secret is not needed any more and was deleted', { file });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return;
    log.warn(
      'the provisioning secret should be forgotten but its file cannot be deleted: delete it by hand, or let the user of the service write to its directory',
      { file, code },
    );
  }
}
