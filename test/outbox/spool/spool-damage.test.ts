/**
 * The spool on a real file system with torn, flipped, empty, foreign or missing files: it never throws,
 * delivers all undamaged readings and counts the others as lost.
 */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import * as fc from 'fast-check';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import type { Reading } from '../../../src/core/model/reading.ts';
import { encode, encodeHeader, frame } from '../../../src/outbox/spool/codec.ts';
import type { Dictionary } from '../../../src/outbox/spool/dictionary.ts';
import { FsSpoolDirectory } from '../../../src/outbox/spool/fs-directory.ts';
import { SEGMENT_BYTES } from '../../../src/outbox/spool/segment.ts';
import { Spool } from '../../../src/outbox/spool/spool.ts';
import { readingStoreContract } from '../../contracts/reading-store.ts';
import { PowerCutDirectory } from '../../doubles/power-cut/power-cut-directory.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { BOOT, OFFSET_MS, SampledReadings, times } from '../../doubles/sampled-readings.ts';
import { repetitions } from '../../repetitions.ts';

const paths: string[] = [];
const spools: Spool[] = [];
after(async () => {
  for (const spool of spools) await spool[Symbol.asyncDispose]();
  for (const path of paths) await rm(path, { recursive: true });
});

async function createPath(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'firstlight-spool-'));
  paths.push(path);
  return join(path, 'spool');
}

async function openSpool(path: string, { bytesMax = 10 * SEGMENT_BYTES, bootId = BOOT } = {}) {
  const [losses, log, directory] = [new LossReport(), new RecordingLogger(), new FsSpoolDirectory(path)];
  const store = await Spool.open({ directory, bootId, bytesMax, freeShare: 0, losses, log });
  spools.push(store);
  return { store, losses, log };
}

readingStoreContract('the spool on a real file system', async () => ({
  ...(await openSpool(await createPath(), { bytesMax: 3 * SEGMENT_BYTES })),
  paddingBytes: 6_000,
  holds: 29,
  overflows: 50,
  bytesMax: 3 * SEGMENT_BYTES,
  why: 'spool full',
}));

it('files have mode 0600, the directory 0700; none exists before the first reading', async () => {
  const path = await createPath();
  const { store } = await openSpool(path);
  await store.take(1);
  await assert.rejects(stat(path), { code: 'ENOENT' });
  await store.append(new SampledReadings().batch(1, false));
  await store.setBootOffset(OFFSET_MS);
  for (const name of ['', '00000001.log', 'anchors.1']) {
    const { mode } = await stat(join(path, name));
    assert.equal((mode & 0o777).toString(8), name === '' ? '700' : '600', name);
  }
});

/** The records of readings in one batch. */
function linesOf(readings: readonly Reading[], bootId = BOOT): Buffer[] {
  let dictionary: Dictionary | undefined;
  return readings.map((each) => {
    const record = encode(each, bootId, dictionary);
    dictionary = record.dictionary;
    return record.bytes;
  });
}

/** A segment file with `count` readings, of which those in `FULLS` are full, and the end of each record. */
function segmentOf(count: number, paddingBytes = 0, bootId = BOOT) {
  const header = encodeHeader(bootId);
  const host = new SampledReadings(paddingBytes, bootId);
  const readings = Array.from({ length: count }, (_, index) => host.next(FULLS.includes(index + 1)));
  const lines = linesOf(readings, bootId);
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  Buffer.concat([header, ...lines]).copy(bytes);
  let endBytes = header.length;
  const ends = lines.map((line) => {
    endBytes += line.length;
    return endBytes;
  });
  return { bytes, ends, headerBytes: header.length, usedBytes: endBytes };
}

/** Delivers all readings and returns their times. Losses are counted when a segment's file is removed. */
async function deliverAll(store: Spool): Promise<number[]> {
  const readings = await store.take(999);
  await store.acknowledge(readings.length, store.epoch);
  return times(readings);
}

async function openWithFiles(files: Readonly<Record<string, Buffer | string>>) {
  const directory = new PowerCutDirectory();
  for (const [name, bytes] of Object.entries(files)) directory.store(name, Buffer.from(bytes));
  const [losses, log] = [new LossReport(), new RecordingLogger()];
  const options = { directory, bootId: BOOT, bytesMax: 10 * SEGMENT_BYTES, freeShare: 0, losses, log };
  return { store: await Spool.open(options), losses, log, directory };
}

const SIX = [1, 2, 3, 4, 5, 6];
const FULLS = [1, 5];

/** The records lost with a damaged one: itself, and those whose dictionary it is. */
function lostWith(record: number): readonly number[] {
  if (!FULLS.includes(record)) return [record];
  const next = FULLS.find((full) => full > record) ?? Number.POSITIVE_INFINITY;
  return SIX.filter((time) => time >= record && time < next);
}

it('a segment with one changed byte delivers all undamaged records', async () => {
  const { bytes, ends, headerBytes, usedBytes } = segmentOf(6);
  const check = async (at: number, byte: number, batchSize: number) => {
    const flipped = Buffer.from(bytes);
    const isSame = flipped[at] === byte;
    flipped[at] = byte;
    const { store, losses, directory } = await openWithFiles({ '00000001.log': flipped });
    // The header is no reading, and the newline is not covered by the checksum.
    const isHarmless = isSame || at < headerBytes || ends.includes(at + 1);
    const lost = isHarmless ? [] : lostWith(ends.findIndex((end) => at < end) + 1);
    const undamaged = SIX.filter((time) => !lost.includes(time));
    assert.deepEqual(times(await store.take(99)), undamaged);
    store.rewind();
    for (const [index] of undamaged.entries()) {
      // The records decode from any position at which reading continues.
      assert.deepEqual(times(await store.take(batchSize)), undamaged.slice(index, index + batchSize));
      await store.acknowledge(1, store.epoch);
      store.rewind();
    }
    await store.take(1);
    const isNewline = byte === 0x0a;
    const isCounted = losses.total === lost.length || (isNewline && losses.total === lost.length + 1);
    assert.ok(isCounted || isHarmless, `${losses.total} counted`);
    assert.deepEqual([store.size, directory.names], [0, []]);
  };
  const offset = fc.integer({ min: 0, max: usedBytes - 1 });
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x0a, 0x20));
  await fc.assert(fc.asyncProperty(offset, byte, fc.integer({ min: 1, max: 3 }), check), {
    seed: 20_261_122,
    numRuns: repetitions(1_500),
  });
});

it('a damaged full record costs itself and the records whose dictionary it is', async () => {
  for (const [record, remaining] of [
    [1, [5, 6]],
    [5, [1, 2, 3, 4]],
  ] as const) {
    const { bytes, ends } = segmentOf(6);
    bytes.write('#', (ends[record - 1] ?? 0) - 3);
    const { store, losses, directory } = await openWithFiles({ '00000001.log': bytes });
    assert.equal(store.size, 6);
    assert.deepEqual(await deliverAll(store), remaining);
    assert.deepEqual([losses.total, store.size, directory.names], [6 - remaining.length, 0, []]);
    assert.equal(losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values['lostWhy'], 'damaged');
  }
});

it('a dropped segment with a damaged full record counts each of its readings once', async () => {
  const { bytes, ends } = segmentOf(6);
  bytes.write('#', (ends[4] ?? 0) - 3);
  const { store, losses } = await openWithFiles({ '00000001.log': bytes });
  await store.take(3);
  await store.acknowledge(2, store.epoch);
  const host = new SampledReadings(6_000);
  while (losses.total === 0) await store.append(host.batch(10));
  const gapValues = losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values;
  assert.deepEqual(
    [gapValues?.['lostReadings'], gapValues?.['lostFromMs'], gapValues?.['lostToMs']],
    [4, OFFSET_MS + 3, OFFSET_MS + 4],
  );
});

it('a changed byte in the unused rest costs no reading', async () => {
  const { bytes, usedBytes } = segmentOf(6);
  for (const at of [usedBytes, usedBytes + 1, SEGMENT_BYTES - 1]) {
    const flipped = Buffer.from(bytes);
    flipped[at] = 0x41;
    const { store } = await openWithFiles({ '00000001.log': flipped });
    assert.deepEqual(times(await store.take(99)), SIX);
  }
});

it('a segment with arbitrary bytes throws nothing and is removed', async () => {
  const check = async (noise: Uint8Array, at: number, isText: boolean) => {
    const bytes = isText ? segmentOf(6).bytes : Buffer.alloc(2_000);
    Buffer.from(noise).copy(bytes, at);
    const { store, directory } = await openWithFiles({ '00000001.log': bytes });
    for (let round = 0; round < 3; round += 1) {
      const { length } = await store.take(4);
      await store.acknowledge(length, store.epoch);
    }
    assert.deepEqual([store.size, directory.names], [0, []]);
  };
  const noise = fc.uint8Array({ maxLength: 300, size: 'max' });
  await fc.assert(fc.asyncProperty(noise, fc.nat(900), fc.boolean(), check), {
    seed: 20_261_122,
    numRuns: repetitions(500),
  });
});

it('a torn last record is counted as lost, and all before it are delivered', async () => {
  const { bytes, ends, usedBytes } = segmentOf(6);
  const lastAt = ends[4] ?? 0;
  for (let cut = lastAt; cut < usedBytes - 1; cut += 1) {
    for (const file of [Buffer.from(bytes.subarray(0, cut)), Buffer.from(bytes).fill(0, cut)]) {
      const { store, losses } = await openWithFiles({ '00000001.log': file });
      assert.deepEqual(await deliverAll(store), [1, 2, 3, 4, 5]);
      assert.equal(losses.total, cut === lastAt ? 0 : 1);
    }
  }
});

it('a zeroed sector costs its own records and none after it', async () => {
  const { bytes } = segmentOf(10, 200);
  bytes.fill(0, 512, 1_024);
  const { store, losses } = await openWithFiles({ '00000001.log': bytes });
  const readings = await deliverAll(store);
  assert.deepEqual(readings.slice(-6), [5, 6, 7, 8, 9, 10]);
  assert.ok(losses.total >= 1);
});

it('without a header, readings with a timestamp are delivered, others are damaged', async () => {
  const dated = segmentOf(6);
  dated.bytes[3] = 0x21;
  const undated = linesOf(new SampledReadings().batch(2, false));
  const headless = Buffer.concat([Buffer.from('damaged header\n'), ...undated]);
  const { store, losses } = await openWithFiles({ '00000001.log': dated.bytes, '00000002.log': headless });
  assert.deepEqual(await deliverAll(store), SIX);
  assert.equal(losses.takeGapRecord(() => ({ bootId: BOOT, bootMs: 1 }))?.values['lostWhy'], 'damaged');
});

it('empty, zeroed and foreign files change nothing', async () => {
  const foreign = { 'notes.txt': 'mine', '1.log': 'mine', '000000001.log': 'mine', 'anchors.x': 'mine' };
  const segments = {
    '00000001.log': '',
    '00000002.log': Buffer.alloc(SEGMENT_BYTES),
    '00000003.log': segmentOf(6).bytes,
  };
  const { store, losses, directory } = await openWithFiles({ ...foreign, ...segments });
  assert.equal(store.size, 6);
  assert.deepEqual(times(await store.take(99)), SIX);
  await store.acknowledge(6, store.epoch);
  assert.deepEqual(directory.names, Object.keys(foreign).sort());
  assert.equal(losses.total, 0);
});

it('a segment of a newer version is kept and logged once, its number not reused', async () => {
  const newer = Buffer.concat([frame({ version: 2, boot: BOOT, more: 1 }), Buffer.from('whatever\n')]);
  const files = {
    '00000007.log': newer,
    '00000008.log': newer,
    'anchors.1': frame({ boot: 'b', offsetMs: 1 }),
  };
  const { store, log, directory, losses } = await openWithFiles(files);
  assert.deepEqual([store.size, store.bytes], [0, 0]);
  await store.append(new SampledReadings().batch(2));
  assert.deepEqual(times(await store.take(9)), [1, 2]);
  assert.ok(directory.names.includes('00000009.log'));
  await store.acknowledge(2, store.epoch);
  assert.deepEqual(directory.names, Object.keys(files));
  assert.deepEqual(directory.bytesOf('00000007.log'), newer);
  assert.equal(log.withMessage(/newer Firstlight version/).length, 1);
  assert.equal(losses.total, 0);
});

it('undamaged lines of a damaged offset file are used', async () => {
  const [one, two] = ['one', 'two'].map((boot) => frame({ boot, offsetMs: OFFSET_MS }));
  assert.ok(one && two);
  const files: Record<string, Buffer> = {
    'anchors.1': Buffer.concat([Buffer.from('torn{\n'), one, two.subarray(0, 9)]),
  };
  for (const [index, boot] of ['one', 'two'].entries()) {
    const lines = linesOf(new SampledReadings(0, boot).batch(1, false), boot);
    files[`0000000${index + 1}.log`] = Buffer.concat([encodeHeader(boot), ...lines]);
  }
  const { store, losses } = await openWithFiles(files);
  assert.deepEqual(
    (await store.take(9)).map(({ bootId, tsMs }) => [bootId, tsMs]),
    [['one', OFFSET_MS + 1]],
  );
  await store.acknowledge(1, store.epoch);
  assert.equal(losses.total, 1);
});

/** A reading of an earlier boot and its offset, on a disk that cannot be read when the process starts. */
async function openUnreadable() {
  const directory = new PowerCutDirectory();
  const lines = linesOf(new SampledReadings(0, 'one').batch(1, false), 'one');
  directory.store('00000001.log', Buffer.concat([encodeHeader('one'), ...lines]));
  directory.store('anchors.1', frame({ boot: 'one', offsetMs: OFFSET_MS }));
  directory.broken.read = true;
  const [losses, log] = [new LossReport(), new RecordingLogger()];
  const options = { directory, bootId: BOOT, bytesMax: 10 * SEGMENT_BYTES, freeShare: 0, losses, log };
  return { store: await Spool.open(options), directory, losses };
}

it('unreadable offsets are read again, and the readings that need them wait', async () => {
  const { store, directory, losses } = await openUnreadable();
  assert.deepEqual(await store.take(9), []);
  directory.broken.read = false;
  assert.deepEqual(
    (await store.take(9)).map(({ tsMs }) => tsMs),
    [OFFSET_MS + 1],
  );
  assert.equal(losses.total, 0);
});

it('unreadable offsets are kept when others are saved, and used once readable', async () => {
  const { store, directory } = await openUnreadable();
  await store.append(new SampledReadings().batch(1, false));
  await store.setBootOffset(OFFSET_MS);
  assert.ok(directory.names.includes('anchors.1') && directory.names.includes('anchors.2'));
  directory.broken.read = false;
  assert.equal((await store.take(9)).length, 2);
});

it('unreadable offsets are given up after 60 attempts', async () => {
  const { store, directory, losses } = await openUnreadable();
  directory.store('anchors.1', Buffer.alloc(0));
  for (let tries = 0; tries < 60; tries += 1) await store.take(9);
  directory.broken.read = false;
  await deliverAll(store);
  assert.equal(losses.total, 1);
});

it('a damaged real file delivers all other readings and is removed', async () => {
  const path = await createPath();
  const { store } = await openSpool(path);
  await store.append(new SampledReadings().batch(6));
  await store[Symbol.asyncDispose]();
  const file = join(path, '00000001.log');
  const bytes = await readFile(file);
  bytes.write('#', bytes.indexOf('"padding":"3 '));
  await writeFile(file, bytes);
  const { store: next, losses } = await openSpool(path);
  assert.deepEqual(await deliverAll(next), [1, 2, 4, 5, 6]);
  assert.equal(losses.total, 1);
  assert.deepEqual(await readdir(path), []);
});

it('records that vanish after they were counted are counted as lost', async () => {
  const { bytes, ends } = segmentOf(6);
  const { store, losses, directory } = await openWithFiles({ '00000001.log': bytes });
  assert.equal(store.size, 6);
  directory.store('00000001.log', bytes.subarray(0, ends[1]));
  assert.deepEqual(await deliverAll(store), [1, 2]);
  assert.deepEqual([store.size, losses.total], [0, 4]);
});

it('removed files are counted as lost, and new readings are stored', async () => {
  const { store, losses, directory } = await openWithFiles({
    '00000001.log': segmentOf(6).bytes,
    '00000002.log': segmentOf(6).bytes,
  });
  await directory.remove('00000001.log');
  assert.deepEqual(times(await store.take(9)), SIX);
  assert.deepEqual([losses.total, store.size, store.bytes], [6, 6, SEGMENT_BYTES]);
  await directory.remove('00000002.log');
  await store.append(new SampledReadings(6_000).batch(110));
  assert.equal(losses.total, 6 + 6 + 110 - store.size);
  assert.ok(store.bytes <= 10 * SEGMENT_BYTES);
});

it('a directory that cannot be listed is logged, and appends fail', async () => {
  const path = await createPath();
  await writeFile(path, 'a file');
  const { store, log } = await openSpool(path);
  assert.deepEqual([store.size, await store.take(9)], [0, []]);
  await assert.rejects(store.append(new SampledReadings().batch(1)), {
    name: 'OutboxError',
    code: 'ENOTDIR',
  });
  assert.equal(log.withMessage(/cannot be listed/).length, 1);
});

const READINGS = repetitions(10_000, 3_000);

it(`${READINGS} readings are delivered within the memory of eight segments`, {
  skip: globalThis.gc ? false : 'needs --expose-gc',
}, async () => {
  const path = await createPath();
  const { store: full } = await openSpool(path, { bytesMax: 1_000 * SEGMENT_BYTES });
  const host = new SampledReadings(400);
  for (let batch = 0; batch < READINGS / 100; batch += 1) await full.append(host.batch(100));
  assert.ok(full.bytes > 16 * SEGMENT_BYTES);
  globalThis.gc?.();
  const before = process.memoryUsage();
  let peakBytes = 0;
  const { store } = await openSpool(path, { bytesMax: 1_000 * SEGMENT_BYTES });
  assert.equal(store.size, READINGS);
  let delivered = 0;
  for (let readings = await store.take(50); readings.length > 0; readings = await store.take(50)) {
    delivered += readings.length;
    await store.acknowledge(readings.length, store.epoch);
    if (delivered % 1_000 !== 0) continue;
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    peakBytes = Math.max(peakBytes, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers);
  }
  assert.equal(delivered, READINGS);
  assert.ok(peakBytes < 8 * SEGMENT_BYTES, `${peakBytes} bytes`);
  assert.deepEqual(await readdir(path), []);
});
