/**
 * A `CredentialStore` in memory. With `broken` every read and write rejects with that error, as on a full
 * disk. Fulfils test/contracts/credential-store.ts.
 */

import type { CredentialRecord, CredentialStore } from '../../src/core/ports/credentials.ts';

export class MemoryCredentialStore implements CredentialStore {
  record: CredentialRecord | undefined;
  broken: Error | undefined;
  readonly #calls: string[];

  constructor(record?: CredentialRecord, calls: string[] = []) {
    this.record = record;
    this.#calls = calls;
  }

  async read(): Promise<CredentialRecord | undefined> {
    this.#calls.push('store read');
    if (this.broken) throw this.broken;
    return this.record;
  }

  async write(record: CredentialRecord): Promise<void> {
    this.#calls.push(`store write ${record.state}`);
    if (this.broken) throw this.broken;
    this.record = { ...record };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
