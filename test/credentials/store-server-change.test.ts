/** Credentials stay valid when the list of URLs of their server changes. */

import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import { archiveRecord, forgetEarlierRecords, inspectRecord } from '../../src/credentials/inspect.ts';
import { isSameServer } from '../../src/credentials/record.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture, TOKEN } from './store-fixture.ts';

const COAP = 'coap://tb.example.com:5683';
const HTTPS = 'https://tb.example.com:443';
const OTHER = 'https://other.example.com:443';

/** The record of a first boot that was declined. */
const ATTEMPT = {
  state: 'pending',
  server: OTHER,
  deviceName: 'gw-1',
  token: new Secret('first-attempt-token'),
  sinceMs: 1_800_000_000_000,
} as const;

describe('a credential record', () => {
  const cases: readonly [what: string, lists: readonly (readonly string[])[], stays: boolean][] = [
    ['stays when an endpoint is added', [[COAP], [COAP, HTTPS]], true],
    [
      'stays when the order changes',
      [
        [COAP, HTTPS],
        [HTTPS, COAP],
      ],
      true,
    ],
    ['stays when its endpoint is replaced by another one at that host', [[COAP], [HTTPS]], true],
    [
      'stays when a second name of the server is added and the first is removed',
      [[COAP], [COAP, OTHER], [OTHER]],
      true,
    ],
    ['stays when the first name is added again', [[COAP], [COAP, OTHER], [OTHER], [COAP]], true],
    ['is archived for another server', [[COAP], [OTHER]], false],
    ['is archived for another port of the same scheme', [[COAP], ['coap://tb.example.com:7000']], false],
  ];
  for (const [what, lists, stays] of cases) {
    it(what, async () => {
      using fixture = new StoreFixture();
      const [first = [], ...rest] = lists;
      await fixture.open(...first).write({ ...PROVISIONED, server: first[0] ?? '' });
      const reads = [];
      for (const list of rest) reads.push((await fixture.open(...list).read())?.token?.reveal());
      assert.equal(reads.at(-1) !== undefined, stays);
      if (stays) assert.deepEqual(new Set(reads), new Set([PROVISIONED.token?.reveal()]));
    });
  }

  it('is restored when both URLs are listed after a declined attempt', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...PROVISIONED, server: COAP });
    const moved = fixture.open(OTHER);
    assert.equal(await moved.read(), undefined);
    await moved.write(ATTEMPT);
    const both = await fixture.open(OTHER, COAP).read();
    assert.equal(both?.token?.reveal(), PROVISIONED.token?.reveal());
    // The attempt is archived, and is not used with another list either.
    assert.ok(Object.values(fixture.contents).some((text) => text.includes(ATTEMPT.token.reveal())));
    assert.equal((await fixture.open(OTHER).read())?.token?.reveal(), PROVISIONED.token?.reveal());
  });

  for (const [when, left] of [
    ['between archiving the two copies of the attempt', [BACKUP]],
    ['after archiving both copies', []],
  ] as const) {
    it(`is restored after a power cut ${when}`, async () => {
      using fixture = new StoreFixture();
      await fixture.open(COAP).write({ ...PROVISIONED, server: COAP });
      const moved = fixture.open(OTHER);
      await moved.read();
      await moved.write(ATTEMPT);
      fixture.put('credentials.aside-2027-01-01T00-00-00.000Z-elsewhere.json', fixture.bytes(MAIN));
      for (const name of [MAIN, BACKUP].filter((each) => !left.some((archived) => archived === each)))
        unlinkSync(join(fixture.directory, name));
      const both = await fixture.open(OTHER, COAP).read();
      assert.equal(both?.token?.reveal(), PROVISIONED.token?.reveal());
    });
  }

  it('of an attempt stays if no issued one is archived', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...ATTEMPT, server: COAP });
    const moved = fixture.open(OTHER);
    await moved.read();
    await moved.write({ ...ATTEMPT, token: new Secret('second-attempt-token') });
    const both = await fixture.open(OTHER, COAP).read();
    assert.equal(both?.token?.reveal(), 'second-attempt-token');
  });

  it('that replaces a rejected token stays despite older archived ones', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...PROVISIONED, server: COAP });
    const moved = fixture.open(OTHER);
    await moved.read();
    const newer = new Secret('issued-by-the-other');
    await moved.write({ ...ATTEMPT, state: 'provisioned', token: newer });
    const both = fixture.open(OTHER, COAP);
    assert.equal((await both.read())?.token?.reveal(), newer.reveal());
    await both.write({ ...ATTEMPT, previousToken: newer });
    const after = await fixture.open(OTHER, COAP).read();
    assert.equal(after?.token?.reveal(), ATTEMPT.token.reveal());
    // It is restored if the server changes and changes back.
    await fixture.open('coap://third.example.com:5683').read();
    const again = await fixture.open(OTHER, COAP).read();
    assert.equal(again?.token?.reveal(), ATTEMPT.token.reveal());
  });

  it('of the original of a copied card stays archived at a boot without a fingerprint', async () => {
    using fixture = new StoreFixture();
    const [first, second] = [['mac:aaaaaaaaaaaaaaaa'], ['mac:bbbbbbbbbbbbbbbb']];
    await fixture.openOn(first, COAP).write({ ...PROVISIONED, server: COAP });
    const copied = fixture.openOn(second, COAP);
    assert.equal(await copied.read(), undefined);
    await copied.write({ ...ATTEMPT, server: COAP });
    assert.equal((await fixture.openOn([], COAP).read())?.token?.reveal(), ATTEMPT.token.reveal());
    assert.equal((await fixture.openOn(second, COAP).read())?.token?.reveal(), ATTEMPT.token.reveal());
  });

  it('that is forgotten is not restored from an earlier archived one', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...PROVISIONED, server: COAP });
    const moved = fixture.open(OTHER);
    await moved.read();
    await moved.write({ ...ATTEMPT, state: 'provisioned' });
    await fixture.open(OTHER, COAP).read();
    const stranger = { ...ON_DISK, server: 'coap://stranger.example.com:5683' };
    const archived = 'credentials.aside-2020-01-01T00-00-00.000Z-elsewhere.json';
    fixture.put(archived, JSON.stringify(stranger));
    const inspection = await inspectRecord(fixture.directory);
    assert.ok(inspection.is === 'good');
    const [earlier = ''] = await forgetEarlierRecords(fixture.directory, inspection, 0);
    assert.match(fixture.bytes(earlier), new RegExp(TOKEN));
    await archiveRecord(fixture.directory, 0);
    assert.equal(await fixture.open(OTHER, COAP).read(), undefined);
    assert.ok(fixture.names.includes(archived), 'the record of another server stays archived');
  });

  it('is not written again for a list without new URLs', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP, HTTPS).write({ ...PROVISIONED, server: COAP });
    await fixture.open(HTTPS, COAP).read();
    const before = fixture.contents;
    await fixture.open(COAP).read();
    assert.deepEqual(fixture.contents, before);
  });
});

it('isSameServer accepts equal URLs and the same host with another scheme', () => {
  assert.ok(isSameServer(['coap://[2001:db8::7]:5683'], ['https://[2001:db8::7]:8443']));
  assert.ok(isSameServer([COAP], ['coaps://tb.example.com:5684']));
  assert.ok(!isSameServer([COAP], ['coap://tb.example.com:1']));
  assert.ok(!isSameServer([COAP], [OTHER]));
});
