/**
 * Compiled by compiled.mjs: fills a spool as an offline agent does, and prints what is in it.
 *
 * Parameters: `directory`, `captured` samples, `everyMs`, `firstTsMs`, `perFlush`; `count` of readings, or as many as fit into
 * `spoolBytesMax`; `listFile` for the readings, one per line.
 */

import { appendFileSync } from 'node:fs';
import { BOOT_ID, openOutbox } from './outbox.mjs';
import { readParameters } from './parameters.mjs';
import { readingsOf } from './readings.mjs';

const { directory, captured, everyMs, firstTsMs, perFlush, count, spoolBytesMax, listFile } =
  readParameters();
const { outbox, spool, losses } = await openOutbox(directory, spoolBytesMax);
const roomBytes = 2 * 65_536;
let readings = 0;
let lines = '';
for (const reading of readingsOf(captured, { bootId: BOOT_ID, everyMs, firstTsMs })) {
  outbox.append(reading);
  lines += `${JSON.stringify({ ts: reading.tsMs, values: reading.values })}\n`;
  readings += 1;
  const isEnd = count === undefined ? false : readings === count;
  if (!isEnd && readings % perFlush > 0) continue;
  await outbox.flush();
  if (isEnd || (count === undefined && spool.bytes + roomBytes > spoolBytesMax)) break;
}
if (listFile !== undefined) appendFileSync(listFile, lines);
await spool[Symbol.asyncDispose]();
if (losses.total > 0) throw new Error(`${losses.total} readings were lost while the spool was filled`);
console.log(JSON.stringify({ readings, bytes: spool.bytes }));
