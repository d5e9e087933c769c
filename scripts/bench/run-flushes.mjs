/**
 * Compiled by compiled.mjs: flushes of an offline agent, and the bytes they write to the device.
 *
 * The file system is synced after each (`sync -f`), so that each pays for its own inode and journal, as flushes minutes apart do.
 * Then a moment passes, because two writes within one tick of the file times, up to 10 ms, would share the write of the inode
 * (measured: a quarter of the bytes was missing). Parameters: `mounted`, `device`, `captured`, `everyMs`, `perFlush`, `flushes`.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deviceBytes } from './device.mjs';
import { BOOT_ID, openOutbox } from './outbox.mjs';
import { readParameters } from './parameters.mjs';
import { readingsOf } from './readings.mjs';

const TICK_MS = 30;

const { mounted, device, captured, everyMs, perFlush, flushes } = readParameters();
const directory = join(mounted, 'spool');
const before = deviceBytes(device, mounted);
const { outbox } = await openOutbox(directory);
const readings = readingsOf(captured, { bootId: BOOT_ID, everyMs, firstTsMs: Date.now() });
for (let flush = 0; flush < flushes; flush += 1) {
  for (let index = 0; index < perFlush; index += 1) outbox.append(readings.next().value);
  await outbox.flush();
  deviceBytes(device, mounted);
  await sleep(TICK_MS);
}
const written = deviceBytes(device, mounted) - before;
const used = readdirSync(directory).reduce((sum, name) => sum + usedBytes(join(directory, name)), 0);
console.log(JSON.stringify({ written, perReading: used / (flushes * perFlush) }));

/** Without the unused rest of a segment. */
function usedBytes(file) {
  const content = readFileSync(file);
  const rest = content.indexOf(0);
  return rest < 0 ? content.length : rest;
}
