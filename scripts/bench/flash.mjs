/**
 * Bytes written to the flash of a gateway per day: sectors of the device that holds the state (/proc/diskstats), an ext4 in a
 * file, with blocks of 4 KiB, mounted as by a distribution. Needs root and loop devices.
 *
 * Online: the agent, observed for 30 s. Offline: the agent's own outbox makes flushes one after the other (run-flushes.mjs).
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../lib/prepare.mjs';
import { runCompiled } from './compiled.mjs';
import { deviceBytes } from './device.mjs';
import { flagsOfTheUnit, sleep, start } from './programs.mjs';

const DAY_S = 86_400;
const INTERVAL_S = 10;
const ONLINE_S = 30;
const FLUSHES = 200;
const OFFLINE = [
  { flushEveryS: 300, megabytesMax: 8 },
  { flushEveryS: 60, megabytesMax: 40 },
];

export async function measureFlash(bundle, sandbox, captured) {
  // The disk of the tests, which are compiled too.
  const compiled = pathToFileURL(join(root, 'dist/test/power/loop-disk.js'));
  const { LoopDisk, USUAL, whyNoLoopDisk } = await import(compiled.href);
  const whyNot = await whyNoLoopDisk();
  if (whyNot !== undefined) return [{ name: `flash: skipped, ${whyNot}` }];
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const rows = [];
  try {
    const withDisk = async (name, measure) => {
      const disk = await LoopDisk.make(join(directory, name), USUAL);
      try {
        return await measure({ mounted: disk.path, device: await disk.device() });
      } finally {
        await disk[Symbol.asyncDispose]();
      }
    };
    const online = await withDisk('online', (disk) => onlineBytes(bundle, sandbox, disk));
    rows.push(perDay('flash written per day, online', (online * DAY_S) / ONLINE_S, 0));
    for (const { flushEveryS, megabytesMax } of OFFLINE) {
      const { written, perReading } = await withDisk(`offline-${flushEveryS}`, (disk) =>
        offline(disk, captured, flushEveryS / INTERVAL_S),
      );
      const name = `flash written per day, offline, flush-every ${flushEveryS} s`;
      rows.push(perDay(name, (written / FLUSHES) * (DAY_S / flushEveryS), megabytesMax));
      rows.push({ name: '  bytes of the spool per reading', value: perReading, unit: 'B' });
    }
    return rows;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function perDay(name, bytes, max) {
  return { name, value: bytes / 1_000_000, unit: 'MB', max };
}

/** At ten times the usual rate, with an outbox that spools early. */
async function onlineBytes(bundle, sandbox, { mounted, device }) {
  const more = '[outbox]\nspool-after = "5s"\nflush-every = "5s"\n';
  const home = sandbox.home({ intervalS: 1, state: join(mounted, 'state'), more });
  const agent = start([...flagsOfTheUnit(), bundle, ...home]);
  try {
    await agent.event('FL-ATTRIBUTES-ACCEPTED');
    const pointsBefore = await sandbox.storedPoints();
    const before = deviceBytes(device, mounted);
    await sleep(ONLINE_S * 1000);
    const written = deviceBytes(device, mounted) - before;
    const points = (await sandbox.storedPoints()) - pointsBefore;
    // At least the uptime of each reading but a few.
    if (points < ONLINE_S / 2) throw new Error('the agent was not online while its flash was watched');
    return written;
  } finally {
    await agent.stop();
  }
}

function offline(disk, captured, perFlush) {
  const parameters = { ...disk, captured, everyMs: INTERVAL_S * 1000, perFlush, flushes: FLUSHES };
  return runCompiled('flushes', parameters);
}
