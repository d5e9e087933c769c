/**
 * A credential store that tells what passes through it: each token, before anyone can log it, and the moment
 * at which credentials are safely there.
 *
 * `Secret` keeps a token out of our own lines; redaction also covers what others say, such as a library's
 * error that quotes a path.
 */

import type { Secret } from '../core/model/secret.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';

export interface StoreWatcher {
  readonly token: (token: Secret) => void;
  /** Awaited after a provisioned record was read or durably written. */
  readonly provisioned: () => Promise<void>;
}

export function watchedStore(store: CredentialStore, watcher: StoreWatcher): CredentialStore {
  const tell = (record: CredentialRecord | undefined): void => {
    if (record?.token) watcher.token(record.token);
    if (record?.state === 'pending' && record.previousToken) watcher.token(record.previousToken);
  };
  return {
    async read() {
      const record = await store.read();
      tell(record);
      if (record?.state === 'provisioned') await watcher.provisioned();
      return record;
    },
    async write(record) {
      tell(record);
      await store.write(record);
      if (record.state === 'provisioned') await watcher.provisioned();
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
