/**
 * A credential store that tells what passes through it: each token, before anyone can log it, and the moment
 * at which credentials are safely there.
 *
 * `Secret` keeps a token out of our own lines; redaction also covers what others say, such as a library's
 * error that quotes a path.
 */

import type { Secret } from '../core/model/secret.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';

export interface CredentialHooks {
  readonly onToken: (onToken: Secret) => void;
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
