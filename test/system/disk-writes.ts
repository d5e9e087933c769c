/**
 * What a first boot costs the flash: sectors written on the device that holds the state (/proc/diskstats), on ext4 as a distribution mounts it;
 * and that an agent that is online writes nothing at all.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openExperiment } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import { LoopDisk, USUAL } from './loop-disk.ts';

/** /proc/diskstats counts in sectors of this size whatever the device's own is. */
const SECTOR_BYTES = 512;
const BOOTS_WITHIN_MS = 90_000;

export interface DiskWrites {
  readonly bootBytes: number;
  readonly bootWrites: number;
  readonly onlineForMs: number;
  /** Readings the server took in that time: it was busy, and not asleep. */
  readonly onlineReadings: number;
  readonly onlineBytes: number;
}

export async function diskWrites(onlineForMs: number): Promise<DiskWrites> {
  await using experiment = await openExperiment(50);
  await using disk = await LoopDisk.make(join(experiment.path, 'disk'), USUAL);
  await using gateway = await experiment.gateway('gw-writes', join(disk.path, 'state'));
  const device = await disk.device();
  const before = written(device, disk.path);
  await using boot = gateway.start();
  const seen = await boot.sees([DELIVERED], BOOTS_WITHIN_MS);
  if (seen !== DELIVERED) throw new Error(`an undisturbed boot: ${seen}\n${boot.lines.join('\n')}`);
  const booted = written(device, disk.path);
  const readingsBefore = readings();
  await sleep(onlineForMs);
  const online = written(device, disk.path);
  return {
    bootBytes: booted.bytes - before.bytes,
    bootWrites: booted.writes - before.writes,
    onlineForMs,
    onlineReadings: readings() - readingsBefore,
    onlineBytes: online.bytes - booted.bytes,
  };

  function readings(): number {
    return experiment.sandbox.points({ device: 'gw-writes', key: 'uptimeS' }).length;
  }
}

/** After a sync, so that nothing is still on its way: proc(5), the fields 8 and 10 of the device. */
function written(device: string, mounted: string): { readonly bytes: number; readonly writes: number } {
  execFileSync('sync', ['-f', mounted]);
  const line = readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, , name]) => name === device);
  if (!line) throw new Error(`/proc/diskstats does not know ${device}`);
  return { bytes: Number(line[9]) * SECTOR_BYTES, writes: Number(line[7]) };
}
