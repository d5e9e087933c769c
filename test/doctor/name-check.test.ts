/** The name check: lookups, and what indicates a captive portal. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameCheck } from '../../src/doctor/name-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';

const { signal } = new AbortController();

/** `names`: the existing names; with `lie` every other name resolves, too. */
async function runCheck(host: string, names: Readonly<Record<string, string>>, lie?: string) {
  const ask = async (name: string) => {
    const address = names[name] ?? lie;
    if (address === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
    return [address];
  };
  return nameCheck(host, hostClock(), ask).run(signal);
}

describe('the name check', () => {
  it('passes with the addresses of the name', async () => {
    const { status: mark, observed: seen } = await runCheck('tb.example.com', {
      'tb.example.com': '203.0.113.7',
    });
    assert.equal(mark, 'pass');
    assert.match(seen, /^tb\.example\.com is 203\.0\.113\.7 \(\d+ ms\)$/);
  });

  it('reports a portal if a non-existent name has the same address', async () => {
    const result = await runCheck('tb.example.com', {}, '203.0.113.1');
    assert.equal(result.status, 'fail');
    assert.match(result.status === 'fail' ? result.meaning : '', /captive portal/);
  });

  it('reports a portal for a private address only beside a spoofed name', async () => {
    const names = { 'tb.example.com': '10.0.0.1' };
    assert.equal((await runCheck('tb.example.com', names, '10.0.0.2')).status, 'fail');
    const alone = await runCheck('tb.example.com', names);
    assert.deepEqual([alone.status, /normal in a company network/.test(alone.observed)], ['pass', true]);
  });

  it('accepts a private address for a local name', async () => {
    for (const host of ['tb', 'tb.lan', 'tb.home.arpa', 'TB.Local.']) {
      const { status: mark, observed: seen } = await runCheck(host, { [host]: '192.168.1.2' }, '203.0.113.1');
      assert.deepEqual([mark, /company/.test(seen)], ['pass', false], host);
    }
  });

  it('fails if no name server responds in time', () => {
    const { timeoutResult: late } = nameCheck('tb.example.com', hostClock());
    assert.equal(late?.status, 'fail');
  });

  it('fails for an unknown name', async () => {
    const result = await runCheck('tb.example.com', {});
    assert.deepEqual([result.status, result.observed], ['fail', 'tb.example.com: ENOTFOUND']);
  });
});
