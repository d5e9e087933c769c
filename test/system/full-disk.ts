/**
 * A real disk that takes nothing more, on a small image: filled by somebody else to the last block, filled up to what looks like just
 * enough for one file of the spool, or remounted read-only.
 *
 * The promise under test: it is said once; sampling and delivery go on; what cannot be delivered waits in memory; when the disk takes
 * readings again they go there, and all arrive; an agent that is asked to end is gone in time, whatever the disk does.
 */

import { closeSync, ftruncateSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../src/core/model/error-code.ts';
import type { Boot } from './boot.ts';
import { type Experiment, openExperiment } from './experiment.ts';
import { LoopDisk, USUAL } from './loop-disk.ts';
import { DRAINED, FLUSH_EVERY_MS, REFUSED, SpoolingGateway, TAKES_AGAIN } from './spooling-gateway.ts';

/** With a journal of 4 MiB. */
const IMAGE_MIB = 16;
/** systemd would wait longer; the operator should not. */
const ENDS_WITHIN_MS = 5_000;
/** A server that is back is heard at the next repetition, 10 s at most, and a loaded machine is slow. */
const HEARS_WITHIN_MS = 60_000;
const CHUNK = Buffer.alloc(4096, 1);

interface Fault {
  readonly what: string;
  /** What the agent says of it: the system's word, or its own for its floor of free space. */
  readonly code: string;
  readonly begin: (disk: LoopDisk) => void | Promise<void>;
  /** The second time, when the directory of the spool is there already and needs no room. */
  readonly beginAgain: (disk: LoopDisk) => void | Promise<void>;
  readonly end: (disk: LoopDisk) => void | Promise<void>;
}

const toTheBrim = (disk: LoopDisk) => fill(disk, 0);
const readOnly = (disk: LoopDisk) => disk.become('ro');

const FAULTS: readonly Fault[] = [
  {
    what: 'filled to the last block',
    code: 'LOW_SPACE',
    begin: toTheBrim,
    beginAgain: toTheBrim,
    end: empty,
  },
  {
    what: 'filled up to what one segment seems to need',
    code: 'ENOSPC',
    begin: (disk) => fill(disk, 65_536),
    beginAgain: toTheBrim,
    end: empty,
  },
  {
    what: 'remounted read-only',
    code: 'EROFS',
    begin: readOnly,
    beginAgain: readOnly,
    end: (disk) => disk.become('rw'),
  },
];

export interface FullDiskOutcome {
  readonly what: string;
  /** What the agent said of the refusal: `LOW_SPACE`, `ENOSPC`, `EROFS`. */
  readonly code: string;
  /** Read while the disk took nothing and the server was away. */
  readonly waited: number;
  readonly endedMs: number;
  readonly problems: readonly string[];
}

export async function fullDisks(): Promise<FullDiskOutcome[]> {
  await using experiment = await openExperiment(20);
  return await Promise.all(FAULTS.map((fault, index) => suffer(experiment, `gw-full-${index}`, fault)));
}

async function suffer(
  experiment: Experiment,
  name: string,
  { what, code: expectedCode, begin, beginAgain, end }: Fault,
): Promise<FullDiskOutcome> {
  await using disk = await LoopDisk.make(join(experiment.path, `disk-${name}`), USUAL, IMAGE_MIB);
  await using gateway = await SpoolingGateway.make(experiment, name, join(disk.path, 'state'));
  await using boot = gateway.start();
  const problems: string[] = [];
  const expect = (isSo: boolean, otherwise: string) => {
    if (!isSo) problems.push(otherwise);
  };
  await boot.sees(['first telemetry accepted'], HEARS_WITHIN_MS);

  await begin(disk);
  gateway.tap.isOpen = false;
  const noted = () => gateway.noted.flat().length;
  const notedBefore = noted();
  await sleep(2.5 * FLUSH_EVERY_MS);
  const waited = noted() - notedBefore;
  expect(boot.count(REFUSED) === 1, `the refusal was said ${boot.count(REFUSED)} times`);
  expect(waited >= 10, `${waited} readings in ${(2.5 * FLUSH_EVERY_MS) / 1000} s: sampling did not go on`);
  const code = /code=(\w+)/.exec(boot.lines.find((line) => line.includes(REFUSED)) ?? '')?.[1] ?? 'none';
  expect(code === expectedCode, `the refusal was told as ${code}, not ${expectedCode}`);

  gateway.tap.isOpen = true;
  expect(
    await arrives(gateway, noted()),
    'what waited in memory was not delivered while the disk took nothing',
  );

  gateway.tap.isOpen = false;
  await sleep(1.5 * FLUSH_EVERY_MS);
  await end(disk);
  const takes = await boot.sees([TAKES_AGAIN], 3 * FLUSH_EVERY_MS);
  expect(takes === TAKES_AGAIN, `the disk has room again, and the agent: ${takes}`);
  expect(gateway.files.length > 0, 'nothing waits on the disk that has room again');
  gateway.tap.isOpen = true;
  expect(await arrives(gateway, noted()), 'what waited on the disk was not delivered');
  // The last reading is at the server before its file is gone.
  const isEmptied = await until(() => gateway.files.length === 0, HEARS_WITHIN_MS);
  expect(isEmptied && boot.count(DRAINED) > 0, `left on the disk: ${gateway.files.join(', ')}`);

  await beginAgain(disk);
  gateway.tap.isOpen = false;
  await sleep(1.5 * FLUSH_EVERY_MS);
  expect(
    boot.count(REFUSED) === 2,
    `the second refusal made it ${boot.count(REFUSED)} times that it was said`,
  );
  const { code: exitCode, tookMs } = await boot.stop();
  expect(exitCode === 0 && tookMs < ENDS_WITHIN_MS, `exit code ${exitCode} after ${Math.round(tookMs)} ms`);
  await end(disk);
  return {
    what,
    code,
    waited,
    endedMs: Math.round(tookMs),
    problems: [...problems, ...judged(gateway, boot)],
  };
}

async function until(isSo: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!isSo() && performance.now() < deadlineMs) await sleep(50);
  return isSo();
}

/** The first `count` readings are all at the server, sooner or later. */
async function arrives(gateway: SpoolingGateway, count: number): Promise<boolean> {
  const last = gateway.noted.flat()[count - 1]?.tsMs ?? 0;
  return until(() => gateway.settled().missing.every(({ tsMs }) => tsMs > last), HEARS_WITHIN_MS);
}

function judged(gateway: SpoolingGateway, boot: Boot): readonly string[] {
  const { problems, told } = gateway.settled();
  const bugs = boot.lines.filter((line) => line.includes('an internal error stopped firstlight'));
  return [...problems, ...bugs, ...(told > 0 ? [`${told} readings told as lost`] : [])];
}

/** Until the file system has no block left, and then gives back so many bytes. */
function fill({ path }: LoopDisk, leftBytes: number): void {
  const file = openSync(filler(path), 'w');
  let bytes = 0;
  try {
    for (;;) bytes += writeSync(file, CHUNK);
  } catch (error) {
    if (errorCode(error) !== 'ENOSPC') throw error;
  }
  // By its own count, which keeps a few blocks back.
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
  rmSync(filler(path));
}

function filler(path: string): string {
  return join(path, 'somebody-elses');
}
