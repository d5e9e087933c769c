/** The spool: the contract of all stores, its bounds, and that an empty spool leaves no files. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../src/core/model/reading.ts';
import { SEGMENT_BYTES } from '../../../src/outbox/spool/segment.ts';
import { Spool } from '../../../src/outbox/spool/spool.ts';
import { readingStoreContract } from '../../contracts/reading-store.ts';
import { PowerCutDirectory } from '../../doubles/power-cut/power-cut-directory.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { BOOT, gapRecord, OFFSET_MS, SampledReadings, times } from '../../doubles/sampled-readings.ts';

/** With this padding ten readings fill a segment. */
const PADDING_BYTES = 6_000;
const BYTES_MAX = 3 * SEGMENT_BYTES;

async function openSpool(
  directory = new PowerCutDirectory(),
  { bytesMax = BYTES_MAX, freeShare = 0.1, bootId = BOOT } = {},
) {
  const [losses, log] = [new LossReport(), new RecordingLogger()];
  const store = await Spool.open({ directory, bootId, bytesMax, freeShare, losses, log });
  return { store, losses, log, directory };
}

const gapValues = (losses: LossReport) => losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values;

readingStoreContract('the spool', async () => ({
  ...(await openSpool()),
  paddingBytes: PADDING_BYTES,
  holds: 29,
  overflows: 50,
  bytesMax: BYTES_MAX,
  why: 'spool full',
}));

it('the spool has no files before the first reading and after the last', async () => {
  const { store, directory } = await openSpool();
  await store.take(9);
  await store.setBootOffset(5);
  store.rewind();
  assert.deepEqual([directory.counts.creates, directory.names], [0, []]);
  await store.append(new SampledReadings().batch(3));
  assert.deepEqual(directory.names, ['00000001.log']);
  await store.take(9);
  await store.acknowledge(3, store.epoch);
  assert.deepEqual(directory.names, []);
});

it('an append is one write and one flush into a segment of full size', async () => {
  const { store, directory } = await openSpool();
  const host = new SampledReadings();
  await store.append(host.batch(1));
  assert.equal(directory.bytesOf('00000001.log').length, SEGMENT_BYTES);
  const before = { ...directory.counts };
  await store.append(host.batch(5));
  assert.deepEqual([directory.counts.writes - before.writes, directory.counts.syncs - before.syncs], [1, 1]);
  assert.ok(directory.counts.writtenBytes - before.writtenBytes < 1_000);
});

it('each segment begins with a full reading, gap records aside', async () => {
  const { store, directory } = await openSpool(undefined, { bytesMax: 100 * SEGMENT_BYTES });
  const host = new SampledReadings(PADDING_BYTES);
  for (const count of [4, 17, 3, 30]) await store.append([gapRecord(1, 0), ...host.batch(count)]);
  for (const name of directory.names) {
    const records = directory.bytesOf(name).toString().split('\n').slice(1, -1);
    assert.match(records.find((line) => !line.includes('"g":1')) ?? '', /"f":1/, name);
  }
  assert.ok(directory.names.length >= 5);
});

it('a new process never writes to an old segment', async () => {
  const { store, directory } = await openSpool();
  const host = new SampledReadings();
  await store.append(host.batch(2));
  const before = Buffer.from(directory.bytesOf('00000001.log'));
  const { store: next } = await openSpool(directory);
  assert.equal(next.size, 2);
  await next.append(host.batch(1));
  assert.deepEqual(directory.bytesOf('00000001.log'), before);
  assert.deepEqual(times(await next.take(9)), [1, 2, 3]);
});

it('a restart repeats the readings of an unfinished segment with the same timestamps', async () => {
  const { store, directory } = await openSpool();
  await store.append(new SampledReadings(PADDING_BYTES).batch(25));
  const first = await store.take(13);
  await store.acknowledge(13, store.epoch);
  const { store: next } = await openSpool(directory);
  assert.equal(next.size, 15);
  assert.deepEqual((await next.take(3)).slice(1), first.slice(11));
});

it('a reading larger than a segment is lost as malformed, and the next one is full', async () => {
  const { store, losses } = await openSpool();
  const host = new SampledReadings();
  const [first, large, next] = host.batch(3);
  assert.ok(first && large && next);
  const padding = 'x'.repeat(SEGMENT_BYTES);
  await store.append([first, { ...large, values: { ...large.values, padding } }, next]);
  const readings = await store.take(9);
  assert.deepEqual(times(readings), [1, 3]);
  host.assertHistory(readings);
  assert.equal(readings[1]?.isSnapshot, true);
  assert.equal(gapValues(losses)?.['lostWhy'], 'malformed');
});

it('on a nearly full file system the oldest segment is dropped for a new one', async () => {
  const { store, losses, directory } = await openSpool();
  const host = new SampledReadings(PADDING_BYTES);
  await store.append(host.batch(20));
  directory.freeBytes = directory.totalBytes * 0.1 + SEGMENT_BYTES - 1;
  await store.append(host.batch(10));
  assert.equal(store.bytes, 2 * SEGMENT_BYTES);
  assert.deepEqual([losses.total, gapValues(losses)?.['lostWhy']], [10, 'disk full']);
  host.assertHistory(await store.take(99));
});

it('on a nearly full file system where writes fail, at most one segment is dropped', async () => {
  const { store, losses, directory } = await openSpool(undefined, { bytesMax: 2 * BYTES_MAX });
  const host = new SampledReadings(PADDING_BYTES);
  await store.append(host.batch(40));
  directory.freeBytes = 0;
  directory.capacityBytes = 0;
  const batch = host.batch(20);
  for (let tries = 0; tries < 3; tries += 1) await assert.rejects(store.append(batch), { code: 'ENOSPC' });
  assert.deepEqual([losses.total, store.size], [10, 30]);
  // One segment fits, the second does not.
  directory.capacityBytes = 4 * SEGMENT_BYTES + 1_000;
  directory.freeBytes = directory.totalBytes;
  await assert.rejects(store.append(batch), { code: 'ENOSPC' });
  directory.capacityBytes = Number.POSITIVE_INFINITY;
  directory.freeBytes = 0;
  await store.append(batch);
  assert.deepEqual([losses.total, store.bytes], [20, 4 * SEGMENT_BYTES]);
  host.assertHistory(await store.take(99));
});

it('on a nearly full file system without old segments append fails with LOW_SPACE', async () => {
  const { store, losses, directory } = await openSpool();
  const host = new SampledReadings(PADDING_BYTES);
  directory.freeBytes = directory.totalBytes * 0.1;
  await assert.rejects(store.append(host.batch(1)), { name: 'OutboxError', code: 'LOW_SPACE' });
  assert.deepEqual([store.size, losses.total, directory.names], [0, 0, []]);
  directory.freeBytes = directory.totalBytes;
  await store.append(host.batch(1));
  directory.freeBytes = 0;
  await store.append(host.batch(1));
  assert.equal(store.size, 2);
});

for (const [what, code, breakDisk] of [
  [
    'a failed write',
    'EIO',
    (directory: PowerCutDirectory) => {
      directory.broken.write = true;
    },
  ],
  [
    'a failed flush',
    'EIO',
    (directory: PowerCutDirectory) => {
      directory.broken.sync = true;
    },
  ],
] as const) {
  it(`${what} loses no stored reading, and the next append uses a new segment`, async () => {
    const { store, directory } = await openSpool();
    const host = new SampledReadings();
    await store.append(host.batch(2));
    breakDisk(directory);
    const batch = host.batch(2);
    await assert.rejects(store.append(batch), { name: 'OutboxError', code });
    assert.equal(store.size, 2);
    Object.assign(directory.broken, { write: false, sync: false });
    await store.append(batch);
    assert.deepEqual(directory.names, ['00000001.log', '00000002.log']);
    assert.deepEqual(times(await store.take(9)), [1, 2, 3, 4]);
  });
}

it('a batch of which the second segment fails is rolled back, and can be repeated', async () => {
  const { store, directory } = await openSpool();
  const host = new SampledReadings(PADDING_BYTES);
  await store.append(host.batch(5));
  const batch = host.batch(10);
  directory.capacityBytes = SEGMENT_BYTES + 1_000;
  await assert.rejects(store.append(batch), { code: 'ENOSPC' });
  assert.deepEqual([store.size, store.bytes, directory.names], [5, SEGMENT_BYTES, ['00000001.log']]);
  directory.capacityBytes = Number.POSITIVE_INFINITY;
  await store.append(batch);
  const readings = await store.take(99);
  assert.deepEqual(
    times(readings),
    Array.from({ length: 15 }, (_, index) => index + 1),
  );
  host.assertHistory(readings);
});

it('a read-only file system fails appends, and its readings are still delivered', async () => {
  const { store, directory, log } = await openSpool();
  const host = new SampledReadings();
  await store.append(host.batch(2));
  directory.readOnly = true;
  assert.deepEqual(times(await store.take(9)), [1, 2]);
  await store.acknowledge(2, store.epoch);
  assert.deepEqual([store.size, await store.take(9)], [0, []]);
  await assert.rejects(store.append(host.batch(1)), { name: 'OutboxError', code: 'EROFS' });
  await assert.rejects(store.append(host.batch(1)), { code: 'EROFS' });
  assert.equal(log.withMessage(/cannot be deleted/).length, 1);
});

for (const [what, reason, bytesMax, freeBytes] of [
  ['full', 'spool full', BYTES_MAX, 1_000_000_000],
  ['on a nearly full file system', 'disk full', 2 * BYTES_MAX, 0],
] as const) {
  it(`a spool that is ${what} and read-only drops nothing until it can be written`, async () => {
    const { store, losses, directory } = await openSpool(undefined, { bytesMax });
    const host = new SampledReadings(PADDING_BYTES);
    await store.append(host.batch(30));
    directory.freeBytes = freeBytes;
    directory.readOnly = true;
    const batch = host.batch(10);
    for (let tries = 0; tries < 2; tries += 1) await assert.rejects(store.append(batch), { code: 'EROFS' });
    assert.deepEqual([losses.total, store.size], [0, 30]);
    assert.deepEqual(times(await store.take(4)), [1, 2, 3, 4]);
    directory.readOnly = false;
    await store.append(batch);
    assert.deepEqual([losses.total, gapValues(losses)?.['lostWhy'], store.size], [10, reason, 30]);
    const readings = await store.take(99);
    assert.equal(readings[0]?.bootMs, 11);
    host.assertHistory(readings);
  });
}

it('a full spool removes files of failed writes before it drops readings', async () => {
  const { store, losses, directory } = await openSpool();
  const host = new SampledReadings(PADDING_BYTES);
  await store.append(host.batch(10));
  Object.assign(directory.broken, { sync: true, remove: true });
  const batch = host.batch(10);
  for (let tries = 0; tries < 2; tries += 1) await assert.rejects(store.append(batch), { code: 'EIO' });
  assert.equal(store.bytes, BYTES_MAX);
  Object.assign(directory.broken, { sync: false, remove: false });
  await store.append(batch);
  assert.deepEqual([losses.total, store.size], [0, 20]);
  host.assertHistory(await store.take(99));
});

it('readings acknowledged while their segment is dropped are not lost', async () => {
  const { store, losses, directory } = await openSpool();
  const host = new SampledReadings(PADDING_BYTES);
  await store.append(host.batch(30));
  await store.take(4);
  const remove = directory.remove.bind(directory);
  let acknowledged: Promise<void> | undefined;
  directory.remove = async (name) => {
    acknowledged ??= store.acknowledge(4, store.epoch);
    await remove(name);
  };
  await store.append(host.batch(10));
  await acknowledged;
  assert.deepEqual([losses.total, store.size], [6, 30]);
});

it('an unreadable segment is retried, and counted as lost after 60 attempts', async () => {
  const { store, losses, directory, log } = await openSpool();
  await store.append(new SampledReadings(PADDING_BYTES).batch(15));
  const read = directory.read.bind(directory);
  let failures = 1;
  directory.read = async (...which) => {
    failures -= 1;
    if (failures >= 0) throw Object.assign(new Error('no'), { code: 'EIO' });
    return read(...which);
  };
  assert.deepEqual(times(await store.take(2)), [1, 2]);
  const { epoch } = store;
  failures = 2;
  assert.deepEqual(times(await store.take(2)), []);
  assert.deepEqual([store.size, losses.total], [15, 0]);
  assert.deepEqual(times(await store.take(1)), [3]);
  failures = 2 * 60;
  for (let tries = 1; tries < 60; tries += 1) assert.deepEqual(await store.take(2), []);
  assert.deepEqual(times(await store.take(2)), [11, 12]);
  assert.notEqual(store.epoch, epoch);
  assert.deepEqual([store.size, losses.total, gapValues(losses)?.['lostWhy']], [5, 10, 'damaged']);
  assert.deepEqual(directory.names, ['00000002.log']);
  assert.equal(log.withMessage(/cannot be read/).length, 1);
});

it('a rewind during a take neither skips nor repeats readings', async () => {
  const { store, directory } = await openSpool();
  await store.append(new SampledReadings(PADDING_BYTES).batch(25));
  await store.take(2);
  const read = directory.read.bind(directory);
  let reads = 0;
  directory.read = async (...which) => {
    reads += 1;
    if (reads === 2) store.rewind();
    return read(...which);
  };
  assert.equal((await store.take(25)).length, 25);
  assert.equal((await store.take(25)).length, 0);
});

it('undated readings of this boot get the stored offset after a restart', async () => {
  const { store, directory } = await openSpool();
  await store.append(new SampledReadings().batch(2, false));
  await store.setBootOffset(OFFSET_MS);
  const first = await store.take(9);
  // Nothing that was not synced survives.
  directory.cutPower(() => 0.9);
  const { store: next } = await openSpool(directory);
  await next.setBootOffset(OFFSET_MS + 7);
  assert.deepEqual(await next.take(9), first);
  await next.acknowledge(2, next.epoch);
  assert.deepEqual(directory.names, []);
});

it('undated readings of another boot get its stored offset, or are undatable', async () => {
  const directory = new PowerCutDirectory();
  for (const [bootId, hasOffset] of [
    ['one', true],
    ['two', false],
    ['three', true],
  ] as const) {
    const { store } = await openSpool(directory, { bootId });
    const host = new SampledReadings(0, bootId);
    await store.append(host.batch(2, false));
    if (hasOffset) await store.setBootOffset(OFFSET_MS);
    await store.append([host.next(true), host.next()]);
  }
  const { store, losses } = await openSpool(directory);
  const readings = await store.take(99);
  assert.deepEqual(
    readings.map(({ bootId, bootMs }) => `${bootId} ${bootMs}`),
    ['one 1', 'one 2', 'one 3', 'one 4', 'two 3', 'two 4', 'three 1', 'three 2', 'three 3', 'three 4'],
  );
  assert.ok(readings.every(({ tsMs, bootMs }) => tsMs === bootMs + OFFSET_MS));
  store.rewind();
  assert.equal((await store.take(99)).length, 10);
  // Not before the file is removed: a restart would find and count it again.
  assert.equal(losses.total, 0);
  await store.acknowledge(10, store.epoch);
  assert.deepEqual([losses.total, gapValues(losses)?.['lostWhy']], [2, 'undatable']);
  assert.deepEqual([store.size, directory.names], [0, []]);
});

it('readings that a power cut brings back have the same timestamps', async () => {
  for (let step = 0; step < 6; step += 1) {
    const { store, directory } = await openSpool(undefined, { bootId: 'other' });
    await store.append(new SampledReadings(0, 'other').batch(2, false));
    await store.setBootOffset(OFFSET_MS);
    const first = await store.take(9);
    directory.stepsUntilCut = step;
    await store.acknowledge(2, store.epoch);
    // The power cut undoes the removal of the segment, but not that of the offsets.
    const draws = [0.9, 0.1];
    directory.cutPower(() => draws.shift() ?? 0.1);
    const { store: next, losses } = await openSpool(directory);
    const again = await next.take(9);
    assert.deepEqual(again, again.length === 0 ? [] : first);
    assert.equal(losses.total, 0);
  }
});

it('the first reading after undatable ones is full, even after a gap record', async () => {
  const directory = new PowerCutDirectory();
  const { store: before } = await openSpool(directory, { bootId: 'other' });
  const host = new SampledReadings(0, 'other');
  await before.append([...host.batch(3, false), gapRecord(1, 0), host.next(), host.next()]);
  const { store } = await openSpool(directory);
  const readings: Reading[] = [...(await store.take(1)), ...(await store.take(1)), ...(await store.take(9))];
  assert.deepEqual(times(readings), [0, 4, 5]);
  host.assertHistory(readings.slice(1));
});

it('the offset is stored only for undated readings, and before they are handed out', async () => {
  const { store, directory } = await openSpool();
  const host = new SampledReadings();
  await store.append(host.batch(2));
  await store.setBootOffset(OFFSET_MS);
  assert.deepEqual(directory.names, ['00000001.log']);
  const { store: undated, directory: other } = await openSpool();
  await undated.append(host.batch(1, false));
  const taken = undated.setBootOffset(OFFSET_MS).then(() => undated.take(9));
  assert.equal((await taken).length, 1);
  assert.deepEqual(other.names, ['00000001.log', 'anchors.1']);
});

it('an offset that cannot be stored is still used by this process, and logged', async () => {
  const { store, directory, log } = await openSpool();
  await store.append(new SampledReadings().batch(2, false));
  directory.readOnly = true;
  await store.setBootOffset(OFFSET_MS);
  assert.equal((await store.take(9))[0]?.tsMs, OFFSET_MS + 1);
  assert.equal(log.withMessage(/boot offset, .* cannot be written/).length, 1);
});

for (const [what, act] of [
  ['that learns the offset', (store: Spool) => store.setBootOffset(OFFSET_MS + 9)],
  ['that stores readings', (store: Spool, batch: readonly Reading[]) => store.append(batch)],
] as const) {
  it(`an offset whose file was not synced is stored again by a process ${what}`, async () => {
    for (const random of [() => 0.1, () => 0.9]) {
      const { store, directory } = await openSpool();
      const host = new SampledReadings();
      await store.append(host.batch(2, false));
      directory.broken.sync = true;
      await store.setBootOffset(OFFSET_MS);
      directory.broken.sync = false;
      const { store: next } = await openSpool(directory);
      await act(next, host.batch(1));
      directory.cutPower(random);
      const { store: afterCut, losses } = await openSpool(directory, { bootId: 'next boot' });
      const readings = await afterCut.take(2);
      assert.deepEqual(
        readings.map(({ tsMs }) => tsMs),
        [OFFSET_MS + 1, OFFSET_MS + 2],
      );
      assert.equal(losses.total, 0);
    }
  });
}

it('an offset is stored for readings whose segment could not be read yet', async () => {
  const { store, directory } = await openSpool();
  await store.append(new SampledReadings().batch(2, false));
  directory.broken.read = true;
  const { store: next } = await openSpool(directory);
  await next.setBootOffset(OFFSET_MS);
  directory.broken.read = false;
  const { store: later } = await openSpool(directory, { bootId: 'next boot' });
  assert.equal((await later.take(9))[0]?.tsMs, OFFSET_MS + 1);
});

it('offsets of 32 boots survive a power cut at any step of a save', async () => {
  for (let step = 0; step < 8; step += 1) {
    const directory = new PowerCutDirectory();
    for (let boot = 0; boot < 40; boot += 1) {
      const { store } = await openSpool(directory, { bootId: `boot ${boot}`, bytesMax: 100 * SEGMENT_BYTES });
      await store.append(new SampledReadings(0, `boot ${boot}`).batch(1, false));
      if (boot === 39) directory.stepsUntilCut = step;
      await store.setBootOffset(OFFSET_MS + boot);
    }
    directory.cutPower(() => 0.7);
    const { store } = await openSpool(directory, { bytesMax: 100 * SEGMENT_BYTES });
    const boots = (await store.take(99)).map(({ bootId }) => bootId);
    assert.ok(boots.length >= 31, `${boots.length} after a cut at step ${step}`);
    assert.ok(boots.includes('boot 38'));
  }
});
