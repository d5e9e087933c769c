/**
 * `provisioning.after-success = "forget"`: deletes the provisioning secret's file once credentials are
 * stored.
 *
 * Called after the credentials are durable, at every start again until it is gone, because the power may fail
 * in between. A file that cannot be deleted is told and is no reason to stop.
 */

import { unlink } from 'node:fs/promises';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import { errorCode } from '../core/model/error-code.ts';
import type { Logger } from '../core/ports/log.ts';

export async function deleteSecretFile(provisioning: Config['provisioning'], log: Logger): Promise<void> {
  if (provisioning?.afterSuccess !== 'forget' || provisioning.secretFile === undefined) return;
  const file = provisioning.secretFile;
  try {
    await unlink(file);
    logEvent(log, 'FL-SECRET-DELETED', { file });
  } catch (error) {
    const code = errorCode(error) ?? 'unknown';
    if (code === 'ENOENT') return;
    logEvent(log, 'FL-SECRET-DELETE-FAILED', { file, code });
  }
}
