/**
 * Compiled by compiled.mjs: fills a spool as an agent that was offline would have left it, and says what is in it.
 *
 * Asked: `directory`, `captured` samples, `everyMs`, `firstTsMs`, `perFlush`; `count` of readings, or else as many as fit
 * `spoolBytesMax`; `listFile` for the readings, one line each.
 */

import { appendFileSync } from 'node:fs';
import { asked } from './asked.mjs';
import { BOOT_ID, openOutbox } from './outbox.mjs';
import { readingsOf } from './readings.mjs';

const { directory, captured, everyMs, firstTsMs, perFlush, count, spoolBytesMax, listFile } = asked();
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
