/**
 * The contract of `CredentialStore`: the last record is stored completely and survives a restart.
 * `make` returns an empty location; `open` opens it like a start of the agent.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord, CredentialStore } from '../../src/core/ports/credentials.ts';
import { anyText } from '../any-text.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { repetitions } from '../repetitions.ts';

/** The server of all records; a store may be bound to it. */
export const SERVER = 'coap://tb.example.com';

export interface StoreUnderTest extends Disposable {
  open(): CredentialStore;
}

const known = { server: SERVER, deviceName: 'gw-1', sinceMs: 1_700_000_000_000 };
const token = new Secret('sLzc0gDAZPkGMzFVTyUY');

const RECORDS: Readonly<Record<string, CredentialRecord>> = {
  'an intent with a proposed token': { state: 'pending', ...known, token },
  'an intent without a token': { state: 'pending', ...known },
  'a provisioned gateway': { state: 'provisioned', ...known, token },
};

const kinds = fc.record({
  deviceName: anyText({ minLength: 1, maxLength: 255 }),
  token: fc.stringMatching(/^[!-.0->@-~]{1,255}$/).map((text) => new Secret(text)),
  sinceMs: fc.nat(2_000_000_000_000),
});
const records: fc.Arbitrary<CredentialRecord> = fc.oneof(
  kinds.map((kind) => ({ state: 'provisioned' as const, server: SERVER, ...kind })),
  kinds.map((kind) => ({ state: 'pending' as const, server: SERVER, ...kind })),
  kinds.map(({ token: _, ...kind }) => ({ state: 'pending' as const, server: SERVER, ...kind })),
);

export function credentialStoreContract(name: string, make: () => StoreUnderTest): void {
  describe(`${name} keeps the credential store contract`, () => {
    it('a new store has no record, also on repeated reads', async () => {
      using location = make();
      const store = location.open();
      assert.equal(await store.read(), undefined);
      assert.equal(await store.read(), undefined);
      assert.equal(await location.open().read(), undefined);
    });

    for (const [what, record] of Object.entries(RECORDS)) {
      it(`stores ${what} for the next start`, async () => {
        using location = make();
        const store = location.open();
        await store.write(record);
        assert.deepEqual(revealSecrets(await store.read()), revealSecrets(record));
        assert.deepEqual(revealSecrets(await location.open().read()), revealSecrets(record));
      });
    }

    it('the record survives the disposal of the store', async () => {
      using location = make();
      const store = location.open();
      const record: CredentialRecord = { state: 'provisioned', ...known, token };
      await store.write(record);
      await store[Symbol.asyncDispose]();
      assert.deepEqual(revealSecrets(await location.open().read()), revealSecrets(record));
    });

    it('a store can be written before it is read', async () => {
      using location = make();
      await location.open().write({ state: 'pending', ...known, token });
      await location.open().write({ state: 'provisioned', ...known, token });
      assert.equal((await location.open().read())?.state, 'provisioned');
    });

    it('a new record replaces the earlier one completely', async () => {
      using location = make();
      const store = location.open();
      await store.write({ state: 'provisioned', ...known, token });
      await store.write({ state: 'pending', ...known });
      assert.deepEqual(await location.open().read(), { state: 'pending', ...known });
    });

    it('every record is returned unchanged', async () => {
      using location = make();
      const check = async (record: CredentialRecord) => {
        const store = location.open();
        await store.write(record);
        assert.deepEqual(revealSecrets(await store.read()), revealSecrets(record));
      };
      await fc.assert(fc.asyncProperty(records, check), { seed: 20_261_121, numRuns: repetitions(60, 15) });
    });
  });
}
