/** Credentials stay when the list of URLs of their server changes: nothing is provisioned anew for a road. */

import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isSameServer } from '../../src/core/failover/same-server.ts';
import { Secret } from '../../src/core/model/secret.ts';
import { archiveRecord, forgetEarlierRecords, inspectRecord } from '../../src/credentials/inspect.ts';
import { BACKUP, MAIN, ON_DISK, PROVISIONED, StoreFixture, TOKEN } from './store-fixture.ts';

const COAP = 'coap://tb.example.com:5683';
const HTTPS = 'https://tb.example.com:443';
const OTHER = 'https://other.example.com:443';

/** As a first boot leaves it that was declined. */
const ATTEMPT = {
  state: 'pending',
  server: OTHER,
  deviceName: 'gw-1',
  token: new Secret('first-attempt-token'),
  sinceMs: 1_800_000_000_000,
} as const;

describe('a record', () => {
  const cases: readonly [what: string, lists: readonly (readonly string[])[], stays: boolean][] = [
    ['stays when a road is added', [[COAP], [COAP, HTTPS]], true],
    [
      'stays when the order changes',
      [
        [COAP, HTTPS],
        [HTTPS, COAP],
      ],
      true,
    ],
    ['stays when its own road goes, for another one to that host', [[COAP], [HTTPS]], true],
    [
      'stays when a second name of the server is added and the first goes',
      [[COAP], [COAP, OTHER], [OTHER]],
      true,
    ],
    ['stays on the way back, too', [[COAP], [COAP, OTHER], [OTHER], [COAP]], true],
    ['goes aside for another server', [[COAP], [OTHER]], false],
    ['goes aside for another port of the same scheme', [[COAP], ['coap://tb.example.com:7000']], false],
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

  it('comes back once both URLs are listed, also after the new one alone was tried and declined', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...PROVISIONED, server: COAP });
    const moved = fixture.open(OTHER);
    assert.equal(await moved.read(), undefined);
    await moved.write(ATTEMPT);
    const both = await fixture.open(OTHER, COAP).read();
    assert.equal(both?.token?.reveal(), PROVISIONED.token?.reveal());
    // The attempt is kept, as everything is; and it is not what counts, however the list goes on.
    assert.ok(Object.values(fixture.contents).some((text) => text.includes(ATTEMPT.token.reveal())));
    assert.equal((await fixture.open(OTHER).read())?.token?.reveal(), PROVISIONED.token?.reveal());
  });

  for (const [when, left] of [
    ['between the two copies of the attempt', [BACKUP]],
    ['behind both', []],
  ] as const) {
    it(`comes back also after a power cut ${when}`, async () => {
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

  it('that is only an attempt stays, when nothing better was set aside', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP).write({ ...ATTEMPT, server: COAP });
    const moved = fixture.open(OTHER);
    await moved.read();
    await moved.write({ ...ATTEMPT, token: new Secret('second-attempt-token') });
    const both = await fixture.open(OTHER, COAP).read();
    assert.equal(both?.token?.reveal(), 'second-attempt-token');
  });

  it('that replaces a refused token stays, whatever older credentials were set aside', async () => {
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
    // And it comes back, should the server go and come back.
    await fixture.open('coap://third.example.com:5683').read();
    const again = await fixture.open(OTHER, COAP).read();
    assert.equal(again?.token?.reveal(), ATTEMPT.token.reveal());
  });

  it('of the card this one was copied from stays aside at a boot that shows nothing of the board', async () => {
    using fixture = new StoreFixture();
    const [first, second] = [['mac:aaaaaaaaaaaaaaaa'], ['mac:bbbbbbbbbbbbbbbb']];
    await fixture.openOn(first, COAP).write({ ...PROVISIONED, server: COAP });
    const copied = fixture.openOn(second, COAP);
    assert.equal(await copied.read(), undefined);
    await copied.write({ ...ATTEMPT, server: COAP });
    assert.equal((await fixture.openOn([], COAP).read())?.token?.reveal(), ATTEMPT.token.reveal());
    assert.equal((await fixture.openOn(second, COAP).read())?.token?.reveal(), ATTEMPT.token.reveal());
  });

  it('that is forgotten leaves nothing of its server behind that the next start would take up', async () => {
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
    assert.ok(fixture.names.includes(archived), 'that of another server waits for it');
  });

  it('is not written again for a list that says nothing new', async () => {
    using fixture = new StoreFixture();
    await fixture.open(COAP, HTTPS).write({ ...PROVISIONED, server: COAP });
    await fixture.open(HTTPS, COAP).read();
    const before = fixture.contents;
    await fixture.open(COAP).read();
    assert.deepEqual(fixture.contents, before);
  });
});

it('two URLs are of one server: the same, or the same host by another scheme', () => {
  assert.ok(isSameServer(['coap://[2001:db8::7]:5683'], ['https://[2001:db8::7]:8443']));
  assert.ok(!isSameServer([COAP], ['coap://tb.example.com:1']));
  assert.ok(!isSameServer([COAP], [OTHER]));
});
