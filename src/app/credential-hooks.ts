/**
 * What happens when credentials pass through the store: each token is registered for redaction before it can be logged, and
 * the provisioning secret is deleted once credentials are durable, if `provisioning.after-success = "forget"`.
 */

import { unlink } from 'node:fs/promises';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import { errorCode } from '../core/model/error-code.ts';
import type { Secret } from '../core/model/secret.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import type { Logger } from '../core/ports/log.ts';

export interface CredentialHooks {
  /** Called before the record that holds the token is written or returned, so that no library error can log the token. */
  readonly onToken: (token: Secret) => void;
  /** Awaited after a provisioned record was read or durably written. */
  readonly onProvisioned: () => Promise<void>;
}

export function withHooks(store: CredentialStore, hooks: CredentialHooks): CredentialStore {
  const reportTokens = (record: CredentialRecord | undefined): void => {
    if (record?.token) hooks.onToken(record.token);
    if (record?.state === 'pending' && record.previousToken) hooks.onToken(record.previousToken);
  };
  return {
    async read() {
      const record = await store.read();
      reportTokens(record);
      if (record?.state === 'provisioned') await hooks.onProvisioned();
      return record;
    },
    async write(record) {
      reportTokens(record);
      await store.write(record);
      if (record.state === 'provisioned') await hooks.onProvisioned();
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/**
 * Tried at every start until the file is gone, because the power can fail after the credentials are durable. A file that cannot
 * be deleted is logged and does not stop the agent.
 */
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
