/** Credentials stay when the list of URLs of their server changes: nothing is provisioned anew for a road. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSameServer } from '../../src/core/same-server.ts';
import { PROVISIONED, Shelf } from './shelf.ts';

const COAP = 'coap://tb.example.com:5683';
const HTTPS = 'https://tb.example.com:443';
const OTHER = 'https://other.example.com:443';

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
      using shelf = new Shelf();
      const [first = [], ...rest] = lists;
      await shelf.open(...first).write({ ...PROVISIONED, server: first[0] ?? '' });
      const reads = [];
      for (const list of rest) reads.push((await shelf.open(...list).read())?.token?.reveal());
      assert.equal(reads.at(-1) !== undefined, stays);
      if (stays) assert.deepEqual(new Set(reads), new Set([PROVISIONED.token?.reveal()]));
    });
  }

  it('is not written again for a list that says nothing new', async () => {
    using shelf = new Shelf();
    await shelf.open(COAP, HTTPS).write({ ...PROVISIONED, server: COAP });
    await shelf.open(HTTPS, COAP).read();
    const before = shelf.contents;
    await shelf.open(COAP).read();
    assert.deepEqual(shelf.contents, before);
  });
});

it('two URLs are of one server: the same, or the same host by another scheme', () => {
  assert.ok(isSameServer(['coap://[2001:db8::7]:5683'], ['https://[2001:db8::7]:8443']));
  assert.ok(!isSameServer([COAP], ['coap://tb.example.com:1']));
  assert.ok(!isSameServer([COAP], [OTHER]));
});
