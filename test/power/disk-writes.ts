/**
 * How much a first boot writes to the flash: sectors on the device of the state directory (/proc/diskstats),
 * on ext4 with default mount options; and that an agent that is online writes nothing.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readingTimes } from '../reading-times.ts';
import { openExperiment } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import { DEFAULTS, LoopDisk } from './loop-disk.ts';

/** The unit of /proc/diskstats, independent of the sector size of the device. */
const SECTOR_BYTES = 512;
const BOOTS_WITHIN_MS = 90_000;

export interface DiskWrites {
  readonly bootBytes: number;
  readonly bootWrites: number;
  readonly onlineForMs: number;
  /** Readings that the server accepted in that time, as proof that the agent worked. */
  readonly onlineReadings: number;
  readonly onlineBytes: number;
}

export async function diskWrites(onlineForMs: number): Promise<DiskWrites> {
  await using experiment = await openExperiment(50);
  await using disk = await LoopDisk.create(join(experiment.path, 'disk'), DEFAULTS);
  await using gateway = await experiment.gateway('gw-writes', join(disk.path, 'state'));
  const device = await disk.device();
  const before = writeCounters(device, disk.path);
  await using boot = gateway.start();
  const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
  if (result !== DELIVERED)
    throw new Error(`an undisturbed boot did not deliver: ${result}\n${boot.lines.join('\n')}`);
  const booted = writeCounters(device, disk.path);
  const readingsBefore = readings();
  await sleep(onlineForMs);
  const online = writeCounters(device, disk.path);
  return {
    bootBytes: booted.bytes - before.bytes,
    bootWrites: booted.writes - before.writes,
    onlineForMs,
    onlineReadings: readings() - readingsBefore,
    onlineBytes: online.bytes - booted.bytes,
  };

  function readings(): number {
    return readingTimes(experiment.sandbox.points({ device: 'gw-writes' })).length;
  }
}

/** Fields 8 and 10 of the device (proc(5)), after a sync, so that no write is pending. */
function writeCounters(
  device: string,
  mountPoint: string,
): { readonly bytes: number; readonly writes: number } {
  execFileSync('sync', ['-f', mountPoint]);
  const line = readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, , name]) => name === device);
  if (!line) throw new Error(`/proc/diskstats does not list ${device}`);
  return { bytes: Number(line[9]) * SECTOR_BYTES, writes: Number(line[7]) };
}
