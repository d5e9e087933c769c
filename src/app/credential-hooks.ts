/**
 * What happens when credentials pass through the store: each token is registered for redaction before it can be logged, and
 * the provisioning secret is deleted once credentials are durable, if `provisioning.after-success = "forget"`.
 */

import { unlink } from 'node:fs/promises';
import type { LoadedConfig } from '../config/load.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Fingerprint } from '../core/model/board-fingerprint.ts';
import type { Config } from '../core/model/config.ts';
import { errorCode } from '../core/model/error-code.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import type { Logger } from '../core/ports/log.ts';
import { ConfCredentialStore } from '../credentials/store.ts';
import { StoreError } from '../credentials/store-error.ts';
import { credentialServers } from './identity.ts';

export interface CredentialHooks {
  /** Called after a record was read or durably written. */
  readonly onRecord: (record: CredentialRecord) => void;
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
      if (record) hooks.onRecord(record);
      if (record?.state === 'provisioned') await hooks.onProvisioned();
      return record;
    },
    async write(record) {
      reportTokens(record);
      await store.write(record);
      hooks.onRecord(record);
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

/**
 * Adds the URLs in use to the stored credentials. Logs a failure only: the list of the gateway, to which they are bound, stays known
 * beside that of the server.
 */
export async function bindCredentialsTo(
  loaded: LoadedConfig,
  { state, fingerprint, clock, log }: BindingContext,
): Promise<void> {
  if (loaded.config.device.token) return;
  await using store = new ConfCredentialStore(
    state,
    { servers: credentialServers(loaded), fingerprint },
    { clock, log },
  );
  await store.read().catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    logEvent(log, 'FL-CREDENTIALS-REPAIR-FAILED', { reason: error.message });
  });
}

export interface BindingContext {
  /** The state directory. */
  readonly state: string;
  readonly fingerprint: Fingerprint;
  readonly clock: Clock;
  readonly log: Logger;
}
