/** The name: what tells a captive portal, and what does not. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameCheck } from '../../src/doctor/name-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';

const { signal } = new AbortController();

/** `names` are those that the name servers know; with `lie` they have an address for every other one, too. */
async function runCheck(host: string, names: Readonly<Record<string, string>>, lie?: string) {
  const ask = async (name: string) => {
    const address = names[name] ?? lie;
    if (address === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
    return [address];
  };
  return nameCheck(host, hostClock(), ask).run(signal);
}

describe('the name of the server', () => {
  it('is in order, with its addresses', async () => {
    const { status: mark, observed: seen } = await runCheck('tb.example.com', {
      'tb.example.com': '203.0.113.7',
    });
    assert.equal(mark, 'pass');
    assert.match(seen, /^tb\.example\.com is 203\.0\.113\.7 \(\d+ ms\)$/);
  });

  it('answered as a name that cannot exist is answered is a portal', async () => {
    const result = await runCheck('tb.example.com', {}, '203.0.113.1');
    assert.equal(result.status, 'fail');
    assert.match(result.status === 'fail' ? result.meaning : '', /captive portal/);
  });

  it('in private space beside such a lie is a portal, and without one only remarkable', async () => {
    const names = { 'tb.example.com': '10.0.0.1' };
    assert.equal((await runCheck('tb.example.com', names, '10.0.0.2')).status, 'fail');
    const alone = await runCheck('tb.example.com', names);
    assert.deepEqual([alone.status, /normal in a company network/.test(alone.observed)], ['pass', true]);
  });

  it('of a house is private by right, and a lie about others is not its trouble', async () => {
    for (const host of ['tb', 'tb.lan', 'tb.home.arpa', 'TB.Local.']) {
      const { status: mark, observed: seen } = await runCheck(host, { [host]: '192.168.1.2' }, '203.0.113.1');
      assert.deepEqual([mark, /company/.test(seen)], ['pass', false], host);
    }
  });

  it('about which no name server says anything in time is a cross', () => {
    const { timeoutResult: late } = nameCheck('tb.example.com', hostClock());
    assert.equal(late?.status, 'fail');
  });

  it('that is not known is a cross', async () => {
    const result = await runCheck('tb.example.com', {});
    assert.deepEqual([result.status, result.observed], ['fail', 'tb.example.com: ENOTFOUND']);
  });
});
