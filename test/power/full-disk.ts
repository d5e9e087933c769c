/**
 * A real disk that cannot be written, on a small image: filled by a foreign file to the last block, filled up
 * to the space of about one segment, or remounted read-only.
 *
 * Promise under test: the agent logs it once; sampling and delivery continue; undelivered readings stay in
 * memory; when the disk can be written again, they are spooled there, and all arrive; an agent that is
 * stopped exits in time, whatever the disk does.
 */

import { closeSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../src/core/model/error-code.ts';
import type { Boot } from './boot.ts';
import { type Experiment, openExperiment } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import { DEFAULTS, LoopDisk } from './loop-disk.ts';
import {
  BACKLOG_DELIVERED,
  DISK_WRITE_FAILED,
  DISK_WRITE_RESTORED,
  FLUSH_EVERY_MS,
  SpoolingGateway,
} from './spooling-gateway.ts';

/** Includes a journal of 4 MiB. */
const IMAGE_MIB = 16;
/** Less than TimeoutStopSec= of the unit. */
const EXITS_WITHIN_MS = 5_000;
/**
 * The agent reaches a server that is back with the next retransmission, after at most 10 s; a loaded machine
 * is slow.
 */
const RECONNECTS_WITHIN_MS = 60_000;
const CHUNK = Buffer.alloc(4096, 1);

interface Fault {
  readonly what: string;
  /** The code that the agent logs: of the system, or LOW_SPACE for less free space than outbox.free-space. */
  readonly code: string;
  readonly begin: (disk: LoopDisk) => void | Promise<void>;
  /** The second time the directory of the spool exists already and needs no space. */
  readonly beginAgain: (disk: LoopDisk) => void | Promise<void>;
  readonly end: (disk: LoopDisk) => void | Promise<void>;
}

const fillCompletely = (disk: LoopDisk) => fill(disk, 0);
const readOnly = (disk: LoopDisk) => disk.setMode('ro');

const FAULTS: readonly Fault[] = [
  {
    what: 'filled to the last block',
    code: 'LOW_SPACE',
    begin: fillCompletely,
    beginAgain: fillCompletely,
    end: empty,
  },
  {
    what: 'filled up to what one segment seems to need',
    code: 'ENOSPC',
    begin: (disk) => fill(disk, 65_536),
    beginAgain: fillCompletely,
    end: empty,
  },
  {
    what: 'remounted read-only',
    code: 'EROFS',
    begin: readOnly,
    beginAgain: readOnly,
    end: (disk) => disk.setMode('rw'),
  },
];

export interface FullDiskOutcome {
  readonly what: string;
  /** The logged code: `LOW_SPACE`, `ENOSPC`, `EROFS`. */
  readonly code: string;
  /** Readings taken while the disk could not be written and the server was absent. */
  readonly queued: number;
  readonly stoppedMs: number;
  readonly problems: readonly string[];
}

export async function fullDisks(): Promise<FullDiskOutcome[]> {
  await using experiment = await openExperiment(20);
  return await Promise.all(FAULTS.map((fault, index) => runWithFault(experiment, `gw-full-${index}`, fault)));
}

async function runWithFault(
  experiment: Experiment,
  name: string,
  { what, code: expectedCode, begin, beginAgain, end }: Fault,
): Promise<FullDiskOutcome> {
  await using disk = await LoopDisk.create(join(experiment.path, `disk-${name}`), DEFAULTS, IMAGE_MIB);
  await using gateway = await SpoolingGateway.create(experiment, name, join(disk.path, 'state'));
  await using boot = gateway.start();
  const problems: string[] = [];
  const expect = (condition: boolean, violation: string) => {
    if (!condition) problems.push(violation);
  };
  await boot.waitFor([DELIVERED], RECONNECTS_WITHIN_MS);

  await begin(disk);
  gateway.tap.isOpen = false;
  const readingCount = () => gateway.readings.flat().length;
  const countBefore = readingCount();
  await sleep(2.5 * FLUSH_EVERY_MS);
  const queued = readingCount() - countBefore;
  expect(
    boot.count(DISK_WRITE_FAILED) === 1,
    `the failure was logged ${boot.count(DISK_WRITE_FAILED)} times`,
  );
  expect(queued >= 10, `${queued} readings in ${(2.5 * FLUSH_EVERY_MS) / 1000} s: sampling did not continue`);
  const code =
    /code=(\w+)/.exec(boot.lines.find((line) => line.includes(DISK_WRITE_FAILED)) ?? '')?.[1] ?? 'none';
  expect(code === expectedCode, `the failure was logged with ${code}, not ${expectedCode}`);

  gateway.tap.isOpen = true;
  expect(
    await isDelivered(gateway, readingCount()),
    'the readings in memory were not delivered while the disk could not be written',
  );

  gateway.tap.isOpen = false;
  await sleep(1.5 * FLUSH_EVERY_MS);
  await end(disk);
  const restored = await boot.waitFor([DISK_WRITE_RESTORED], 3 * FLUSH_EVERY_MS);
  expect(restored === DISK_WRITE_RESTORED, `the disk has space again, and the agent: ${restored}`);
  expect(gateway.files.length > 0, 'no reading was spooled although the disk has space again');
  gateway.tap.isOpen = true;
  expect(await isDelivered(gateway, readingCount()), 'the readings on the disk were not delivered');
  // The last reading is on the server before its segment is deleted.
  const isEmptied = await until(() => gateway.files.length === 0, RECONNECTS_WITHIN_MS);
  expect(isEmptied && boot.count(BACKLOG_DELIVERED) > 0, `left on the disk: ${gateway.files.join(', ')}`);

  await beginAgain(disk);
  gateway.tap.isOpen = false;
  await sleep(1.5 * FLUSH_EVERY_MS);
  expect(
    boot.count(DISK_WRITE_FAILED) === 2,
    `after the second failure it was logged ${boot.count(DISK_WRITE_FAILED)} times`,
  );
  const { code: exitCode, tookMs } = await boot.stop();
  expect(exitCode === 0 && tookMs < EXITS_WITHIN_MS, `exit code ${exitCode} after ${Math.round(tookMs)} ms`);
  await end(disk);
  return {
    what,
    code,
    queued,
    stoppedMs: Math.round(tookMs),
    problems: [...problems, ...violationsOf(gateway, boot)],
  };
}

async function until(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!condition() && performance.now() < deadlineMs) await sleep(50);
  return condition();
}

/** Waits until the first `count` readings are on the server. */
async function isDelivered(gateway: SpoolingGateway, count: number): Promise<boolean> {
  const last = gateway.readings.flat()[count - 1]?.tsMs ?? 0;
  return until(() => gateway.compare().missing.every(({ tsMs }) => tsMs > last), RECONNECTS_WITHIN_MS);
}

function violationsOf(gateway: SpoolingGateway, boot: Boot): readonly string[] {
  const { problems, reported } = gateway.compare();
  const bugs = boot.lines.filter((line) => line.includes('event=FL-INTERNAL-ERROR'));
  return [...problems, ...bugs, ...(reported > 0 ? [`${reported} readings reported as lost`] : [])];
}

/** Fills the file system to its last block, and then frees `leftBytes`. */
function fill({ path }: LoopDisk, leftBytes: number): void {
  const file = openSync(fillerFile(path), 'w');
  let bytes = 0;
  try {
    for (;;) bytes += writeSync(file, CHUNK);
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
  }
  // By statfs, because the file system keeps a few blocks in reserve.
  while (leftBytes > 0 && freeBytes(path) < leftBytes) {
    bytes -= CHUNK.length;
    ftruncateSync(file, bytes);
  }
  closeSync(file);
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function empty({ path }: LoopDisk): void {
  rmSync(fillerFile(path));
}

function fillerFile(path: string): string {
  return join(path, 'foreign-file');
}
