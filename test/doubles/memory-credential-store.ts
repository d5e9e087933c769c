/**
 * A `CredentialStore` in memory: durable as long as the test runs, and broken on request.
 *
 * `broken` makes every read and write reject with it, as a full disk would. Passes
 * test/contracts/credential-store.ts.
 */

import type { CredentialRecord, CredentialStore } from '../../src/core/ports/credentials.ts';

export class MemoryCredentialStore implements CredentialStore {
  record: CredentialRecord | undefined;
  broken: Error | undefined;
  readonly #journal: string[];

  constructor(record?: CredentialRecord, journal: string[] = []) {
    this.record = record;
    this.#journal = journal;
  }

  async read(): Promise<CredentialRecord | undefined> {
    this.#journal.push('store read');
    if (this.broken) throw this.broken;
    return this.record;
  }

  async write(record: CredentialRecord): Promise<void> {
    this.#journal.push(`store write ${record.state}`);
    if (this.broken) throw this.broken;
    this.record = { ...record };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
