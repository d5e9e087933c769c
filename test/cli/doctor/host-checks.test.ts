/** The doctor's checks of this host: the board of the credentials, and what the status tells. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { boardCheck, successCheck, toldCheck } from '../../../src/cli/doctor/host-checks.ts';
import { answerOf } from '../../../src/cli/status/json.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { workshop } from '../../app/agent-process.ts';

const { signal } = new AbortController();
const host = (name: string) => join('test/fixtures/hosts', name);
const NOTHING = answerOf({ is: 'missing' }, { bootMs: 0, wallMs: 0, bootId: 'b' });

async function boardOf(made: string, now: string) {
  await using place = await workshop();
  const fingerprint = boardFingerprint({ root: host(made) });
  const record = {
    version: 1,
    state: 'provisioned',
    server: 'coap://tb:5683',
    deviceName: 'gw-1',
    sinceMs: 1,
    token: 'QZ7QZ7QZ7QZ7QZ7QZ7QZ7',
    fingerprint,
  };
  for (const name of ['credentials.json', 'credentials.aside-2026-11-26T00-00-00.000Z-elsewhere.json'])
    await writeFile(join(place.path, name), JSON.stringify(record), { mode: 0o600 });
  return await boardCheck(place.path, host(now)).look(signal); // the directory is there until then
}

describe('the board', () => {
  it('that the credentials were made on is in order, and records of others are counted', async () => {
    const { mark, seen } = await boardOf('raspberry-pi-4', 'raspberry-pi-4');
    assert.deepEqual([mark, /; 1 of other boards/.test(seen)], ['tick', true], seen);
  });

  it('of a copied card is another one, and the finding has no token', async () => {
    const finding = await boardOf('raspberry-pi-4', 'raspberry-pi-zero-2w');
    assert.equal(finding.mark, 'cross', finding.seen);
    assert.match(finding.mark === 'cross' ? finding.todo : '', /prepare-image/);
    assert.ok(!JSON.stringify(finding).includes('QZ7QZ7QZ7'));
  });
});

describe('what the status tells', () => {
  it('is the warnings and errors, the most frequent first', async () => {
    const counts = { 'FL-READY': 9, 'FL-SILENT': 3, 'FL-DISK-REFUSES': 1 };
    const { seen } = await toldCheck({ ...NOTHING, counts }).look(signal);
    assert.equal(seen, 'FL-SILENT 3 times, FL-DISK-REFUSES once');
  });

  it('has the last success beside the trouble', async () => {
    const retry = {
      event: 'FL-SILENT',
      level: 'warn',
      cause: 'c',
      remedy: 'r',
      seen: 's',
      sinceS: 7200,
      tries: 3,
      nextInS: 1,
    } as const;
    const { seen } = await successCheck({ ...NOTHING, running: true, retry, lastAcceptedAgoS: 7260 }).look(
      signal,
    );
    assert.match(seen, /^FL-SILENT: s, for 2 h.*; last accepted 2 h.* ago$/);
  });

  it('is a cross with a remedy of its own while the agent cannot start', async () => {
    const of = (...why: readonly string[]) => successCheck({ ...NOTHING, why }).look(signal);
    const locked = await of('FL-STATE-LOCKED: another firstlight already runs on /s');
    assert.equal(
      locked.seen,
      'the agent does not run; its last start failed: FL-STATE-LOCKED: another firstlight already runs on /s',
    );
    assert.match(locked.mark === 'cross' ? locked.todo : '', /^stop it, or give this one another/);
    const odd = await of('EACCES: permission denied');
    assert.doesNotMatch(odd.seen, /start failed/);
    assert.match(odd.mark === 'cross' ? odd.todo : '', /journalctl/);
    assert.equal((await of()).mark, 'dash');
  });
});
