/**
 * A credential store whose tokens can never reach the journal: each one that passes is made known to it first.
 *
 * `Secret` keeps a token out of our own lines; this also covers what others say, such as a library's error that quotes a path.
 */

import type { CredentialRecord, CredentialStore } from '../core/ports.ts';
import type { Secret } from '../core/secret.ts';

export function redactingStore(store: CredentialStore, redact: (secret: Secret) => void): CredentialStore {
  const known = (record: CredentialRecord | undefined) => {
    if (record?.token) redact(record.token);
    return record;
  };
  return {
    read: async () => known(await store.read()),
    write: (record) => {
      known(record);
      return store.write(record);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
