/** The doctor's checks of this host: the board of the credentials, and the status of the agent. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  boardCheck,
  clockCheck,
  eventCountsCheck,
  identityCheck,
  successCheck,
} from '../../../src/cli/doctor/host-checks.ts';
import { statusJson } from '../../../src/cli/status/json.ts';
import type { Fingerprint } from '../../../src/core/model/board-fingerprint.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { tempDir } from '../../app/agent-process.ts';

const { signal } = new AbortController();
const host = (name: string) => join('test/fixtures/hosts', name);
const NOTHING = statusJson({ is: 'missing' }, { bootMs: 0, wallMs: 0, bootId: 'b' });

async function boardOf(made: string | Fingerprint, now: string) {
  await using place = await tempDir();
  const fingerprint = typeof made === 'string' ? boardFingerprint({ root: host(made) }) : made;
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
  return await boardCheck(place.path, host(now)).run(signal); // the directory is there until then
}

describe('the board check', () => {
  it('passes on the board of the credentials and counts archived records', async () => {
    const { status, observed } = await boardOf('raspberry-pi-4', 'raspberry-pi-4');
    assert.deepEqual([status, /; 1 of other boards/.test(observed)], ['pass', true], observed);
  });

  it('fails on a copied disk, without printing the token', async () => {
    const result = await boardOf('raspberry-pi-4', 'raspberry-pi-zero-2w');
    assert.equal(result.status, 'fail', result.observed);
    assert.match(result.status === 'fail' ? result.action : '', /prepare-image/);
    assert.ok(!JSON.stringify(result).includes('QZ7QZ7QZ7'));
  });

  it('fails on a board with the serial number of the credentials and other addresses', async () => {
    const [serial = ''] = boardFingerprint({ root: host('raspberry-pi-4') });
    const result = await boardOf([serial, 'mac:0000000000000000'], 'raspberry-pi-4');
    assert.equal(result.status, 'fail', result.observed);
    assert.match(result.observed, /only by an identifier that several boards can share/);
  });

  it('is skipped on a board that nothing identifies', async () => {
    const result = await boardOf('raspberry-pi-4', 'x86-vm');
    assert.equal(result.status, 'skip', result.observed);
  });
});

describe('the identity check', () => {
  it('names the device of the credentials, whatever the name would be today', async () => {
    const token = new Secret('QZ7QZ7QZ7QZ7QZ7QZ7QZ7');
    const result = await identityCheck([], { status: 'usable', device: 'gw-old', token }).run(signal);
    assert.deepEqual(result, { status: 'pass', observed: 'gw-old, the name of the credentials' });
  });

  it('passes on any board if the credentials are configured, because the name is not sent', async () => {
    const token = new Secret('QZ7QZ7QZ7QZ7QZ7QZ7QZ7');
    const { status, observed } = await identityCheck([], { status: 'configured', token }).run(signal);
    assert.equal(status, 'pass', observed);
    assert.match(observed, /the server knows the device by its credentials$/);
  });
});

describe('the clock check', () => {
  it('fails on a date before the release, whatever a time service says', async () => {
    const clock = { wallMs: () => Date.UTC(2007, 3, 15), sleep: async () => {} };
    const result = await clockCheck([], clock).run(signal);
    assert.equal(result.status, 'fail');
    assert.match(result.observed, /^2007-04-15T.* was released on 20/);
    assert.match(result.status === 'fail' ? result.action : '', /check the time service/);
  });
});

describe('the status checks', () => {
  it('list warnings and errors, the most frequent first', async () => {
    const counts = { 'FL-AGENT-STARTED': 9, 'FL-SERVER-TIMEOUT': 3, 'FL-DISK-WRITE-FAILED': 1 };
    const { observed } = await eventCountsCheck({ ...NOTHING, eventCounts: counts }).run(signal);
    assert.equal(observed, 'FL-SERVER-TIMEOUT 3 times, FL-DISK-WRITE-FAILED once');
  });

  it('show the last success beside the failure', async () => {
    const retry = {
      event: 'FL-SERVER-TIMEOUT',
      level: 'warn',
      cause: 'c',
      remedy: 'r',
      detail: 's',
      failingForS: 7200,
      attempts: 3,
      nextAttemptInS: 1,
    } as const;
    const { observed: seen } = await successCheck({
      ...NOTHING,
      running: true,
      retry,
      lastAcceptedAgoS: 7260,
    }).run(signal);
    assert.match(seen, /^FL-SERVER-TIMEOUT: s, for 2 h.*; last accepted 2 h.* ago$/);
  });

  it('fail with the remedy of the event if the agent cannot start', async () => {
    const of = (...why: readonly string[]) => successCheck({ ...NOTHING, reasons: why }).run(signal);
    const locked = await of('FL-STATE-LOCKED: another firstlight already runs on /s');
    assert.equal(
      locked.observed,
      'the agent is not running; its last start failed: FL-STATE-LOCKED: another firstlight already runs on /s',
    );
    assert.match(locked.status === 'fail' ? locked.action : '', /^stop it, or give this one another/);
    const unusual = await of('EACCES: permission denied');
    assert.doesNotMatch(unusual.observed, /start failed/);
    assert.match(unusual.status === 'fail' ? unusual.action : '', /journalctl/);
    assert.equal((await of()).status, 'skip');
  });
});
