/** The agent's part of an update: download, checks, request and reports, over restarts and outages. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingsGathered } from '../../../src/update/download/open-updates.ts';
import { signUpdate } from '../../../src/update/sign-update.ts';
import { tempDir } from '../../app/agent-process.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { packageFile, testKey, updateOf } from '../signed-updates.ts';
import { UpdateDevice } from './update-device.ts';

const key = testKey();
const HOUR_MS = 3_600_000;

function largeUpdate(version: string, bytes = 40_000): Buffer {
  const built = signUpdate(
    [packageFile(version, Buffer.alloc(bytes, version))],
    { minimumVersion: '0', allowDowngrade: false },
    [key.key],
  );
  assert.ok(built.ok);
  return built.value;
}

async function withDevice(run: (device: UpdateDevice) => Promise<void>): Promise<void> {
  await using place = await tempDir();
  await using device = new UpdateDevice(place.path, key);
  device.content = largeUpdate('0.2.0');
  await run(device);
}

test('an assigned update is downloaded once, verified, requested and reported', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    assert.deepEqual(device.states, ['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING']);
    const expected = Array.from(
      { length: Math.ceil(device.content.length / 1024) },
      (_, index) => index * 1024,
    );
    assert.deepEqual(device.sent, expected);
    assert.ok(device.clock.monotonicMs() >= HOUR_MS / 2, 'the spread is waited for');
    assert.ok(device.files.isReleased);
    device.result = {
      outcome: 'updated',
      request: device.requested.at(-1) ?? '',
      version: '0.2.0',
      previous: '0.1.0',
    };
    device.settings = { ...device.settings, installed: '0.2.0' };
    await device.restart();
    await device.until(() => device.states.includes('UPDATED'));
    assert.deepEqual(device.reports.at(-1), {
      current_sw_title: 'firstlight',
      current_sw_version: '0.2.0',
      sw_state: 'UPDATED',
    });
    assert.equal(device.requests, 1);
    assert.ok(!device.files.isReleased);
    assert.deepEqual(device.log.events, [
      'FL-UPDATE-ASSIGNED',
      'FL-UPDATE-DOWNLOADED',
      'FL-UPDATE-INSTALLING',
      'FL-UPDATE-COMPLETED',
    ]);
  }));

test('a failed installation is reported with its reason and not tried again', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    const problem = 'version 0.2.0 ended by itself 3 times: see journalctl -u firstlight';
    device.result = { outcome: 'failed', request: device.requested.at(-1) ?? '', problem };
    await device.until(() => device.states.at(-1) === 'FAILED');
    assert.equal(device.reports.at(-1)?.sw_error, problem);
    const { length } = device.sent;
    await device.restart();
    await device.clock.advance(2 * HOUR_MS);
    assert.equal(device.sent.length, length);
    device.assigned = { ...device.assigned, version: '0.3.0' };
    device.content = largeUpdate('0.3.0');
    device.assign(device.attributes);
    await device.until(() => device.requests === 2);
  }));

test('the result of an earlier request does not count for the same file assigned again', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    const problem = 'the disk has no space';
    device.result = { outcome: 'refused', request: device.requested[0] ?? '', problem };
    await device.until(() => device.states.at(-1) === 'FAILED');
    const { assigned, content, attributes } = device;
    device.assigned = { ...assigned, version: '0.0.1' };
    device.content = largeUpdate('0.0.1');
    device.assign(device.attributes);
    await device.until(() => /is older/.test(device.reports.at(-1)?.sw_error ?? ''));
    Object.assign(device, { assigned, content });
    device.assign(attributes);
    await device.until(() => device.requests === 2);
    await device.clock.advance(60_000);
    assert.equal(device.states.at(-1), 'UPDATING');
    assert.notEqual(device.requested[0], device.requested[1]);
  }));

test('a download goes on where it was after restarts, failures and an outage', () =>
  withDevice(async (device) => {
    device.failEvery = 7;
    device.start();
    await device.until(() => device.sent.length === 10);
    const beforeMs = device.clock.monotonicMs();
    await device.restart();
    await device.until(() => device.sent.length === 15);
    assert.ok(
      device.clock.monotonicMs() - beforeMs < HOUR_MS / 4,
      'a download that has begun waits no spread',
    );
    device.isOnline = false;
    await device.clock.advance(24 * HOUR_MS);
    device.isOnline = true;
    await device.until(() => device.requests === 1);
    assert.equal(new Set(device.sent).size, device.sent.length, 'no chunk was sent twice');
  }));

test('a download waits while fresh readings wait', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.sent.length === 5);
    device.isBusy = true;
    await device.clock.advance(60_000);
    assert.ok(device.sent.length <= 6);
    device.isBusy = false;
    await device.until(() => device.requests === 1);
  }));

test('readings that wait on purpose for send-every do not stop a download', () => {
  assert.equal(readingsGathered({ sendEveryMs: 0, intervalMs: 10_000 }), 0);
  assert.equal(readingsGathered({ sendEveryMs: 60_000, intervalMs: 10_000 }), 6);
  assert.equal(readingsGathered({ sendEveryMs: 5_000, intervalMs: 10_000 }), 1);
});

test('the rate of a download is bounded', () =>
  withDevice(async (device) => {
    device.settings = { ...device.settings, spreadMs: 0 };
    device.start();
    await device.until(() => device.requests === 1);
    assert.ok(device.clock.monotonicMs() >= (1000 * device.content.length) / 8192 - 200);
  }));

test('a damaged download is repeated, at most three times', () =>
  withDevice(async (device) => {
    const { attributes } = device;
    device.content = Buffer.from(device.content);
    device.content[20_000] = 0;
    device.start(attributes);
    await device.until(() => device.states.at(-1) === 'FAILED');
    assert.match(device.reports.at(-1)?.sw_error ?? '', /checksum/);
    assert.equal(device.sent.filter((offset) => offset === 0).length, 3);
    assert.equal(device.requests, 0);
  }));

test('a right checksum with a wrong signature is refused', () =>
  withDevice(async (device) => {
    device.content = updateOf('0.2.0', testKey().key);
    device.start();
    await device.until(() => device.states.at(-1) === 'FAILED');
    assert.match(device.reports.at(-1)?.sw_error ?? '', /no key of this gateway/);
    assert.equal(device.requests, 0);
    assert.ok(device.log.events.includes('FL-UPDATE-FAILED'));
  }));

test('a package of another version, an older one and another title are refused', async () => {
  const errorOf = async (assigned: UpdateDevice['assigned'], content: Buffer) => {
    let error = '';
    await withDevice(async (device) => {
      device.assigned = assigned;
      device.content = content;
      device.start();
      await device.until(() => device.states.at(-1) === 'FAILED');
      error = device.reports.at(-1)?.sw_error ?? '';
      assert.equal(device.requests, 0);
    });
    return error;
  };
  const title = 'firstlight';
  assert.match(await errorOf({ title, version: '0.9.0' }, largeUpdate('0.2.0')), /upload it as 0.2.0/);
  assert.match(
    await errorOf({ title, version: '0.0.1' }, largeUpdate('0.0.1')),
    /is older than the installed/,
  );
  assert.match(await errorOf({ title: 'plc', version: '1' }, largeUpdate('0.2.0')), /not for this agent/);
});

test('the installed version is reported as updated without a download', () =>
  withDevice(async (device) => {
    device.settings = { ...device.settings, installed: '0.2.0' };
    device.start();
    await device.until(() => device.states.includes('UPDATED'));
    assert.deepEqual(device.sent, []);
  }));

test('a server that sends no package is reported', () =>
  withDevice(async (device) => {
    device.isRefusing = true;
    device.start();
    await device.until(() => device.states.at(-1) === 'FAILED');
    assert.match(
      device.reports.at(-1)?.sw_error ?? '',
      /does not send the assigned package \(response 4.00\)/,
    );
  }));

test('an assignment that ends stops the download, and the same one continues it', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.sent.length === 5);
    device.unassign();
    await device.clock.advance(HOUR_MS);
    const { length } = device.sent;
    assert.ok(length <= 6);
    device.assign(device.attributes);
    await device.until(() => device.requests === 1);
    assert.equal(new Set(device.sent).size, device.sent.length);
  }));

test('another assignment replaces a download', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.sent.length === 5);
    device.assigned = { ...device.assigned, version: '0.3.0' };
    device.content = largeUpdate('0.3.0');
    device.assign(device.attributes);
    await device.until(() => device.requests === 1);
    assert.equal(device.files.load()?.assignment.version, '0.3.0');
  }));

test('a request that a power cut interrupted is repeated in the next boot only', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    await device.clock.advance(10_000);
    await device.restart();
    await device.clock.advance(60_000);
    assert.equal(device.requests, 1);
    await device.stop();
    device.clock = new VirtualClock(undefined, { bootId: 'another-boot' });
    device.start();
    await device.until(() => device.requests === 2);
    assert.equal(device.requested[0], device.requested[1], 'it is the same request');
  }));

test('an installation without a result is reported as failed after an hour', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    await device.clock.advance(61 * 60_000);
    await device.until(() => device.states.at(-1) === 'FAILED');
    assert.match(device.reports.at(-1)?.sw_error ?? '', /firstlight-update.path/);
  }));

test('a report that the server did not accept is sent again after a restart', () =>
  withDevice(async (device) => {
    device.start();
    await device.until(() => device.requests === 1);
    device.isAccepting = false;
    device.result = { outcome: 'refused', request: device.requested.at(-1) ?? '', problem: 'the reason' };
    await device.until(() => device.log.events.includes('FL-UPDATE-FAILED'));
    await device.clock.advance(60_000);
    assert.equal(device.states.at(-1), 'UPDATING');
    await device.stop();
    device.isAccepting = true;
    device.start();
    await device.until(() => device.states.at(-1) === 'FAILED');
    await device.until(() => device.files.load()?.isReported === true);
    const { length } = device.reports;
    await device.restart();
    await device.clock.advance(60_000);
    assert.deepEqual(
      device.reports.slice(length).map(({ sw_state: state }) => state),
      [undefined],
      'only the installed version is reported at a start',
    );
  }));

test('an update begins and is installed in its window only', () =>
  withDevice(async (device) => {
    const minuteNow = new Date(device.clock.wallMs());
    const minute = minuteNow.getHours() * 60 + minuteNow.getMinutes();
    const fromMinute = (minute + 120) % 1440;
    const window = { fromMinute, toMinute: (fromMinute + 60) % 1440 };
    device.settings = { ...device.settings, spreadMs: 0, window };
    device.start();
    await device.clock.advance(2 * HOUR_MS - 60_000);
    assert.deepEqual(device.sent, []);
    await device.until(() => device.requests === 1);
    assert.ok(device.clock.monotonicMs() >= 2 * HOUR_MS && device.clock.monotonicMs() < 3 * HOUR_MS);
  }));
