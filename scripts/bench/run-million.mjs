/**
 * Compiled by compiled.mjs: readings through the outbox, in turns through memory and through the spool, and the memory of this
 * process after each tenth of them. Parameters: `directory`, `captured`, `readings`.
 */

import { BOOT_ID, openOutbox } from './outbox.mjs';
import { readParameters } from './parameters.mjs';
import { readingsOf } from './readings.mjs';

const TURN = 250;
const MIB = 1024 * 1024;

const { directory, captured, readings } = readParameters();
const { outbox, spool, losses } = await openOutbox(directory);
const source = readingsOf(captured, { bootId: BOOT_ID, everyMs: 10_000, firstTsMs: 1_700_000_000_000 });
const found = { heapMib: [], rssMib: [] };
for (let done = 0; done < readings; done += 2 * TURN) {
  append();
  await deliver(outbox.fresh);
  append();
  await outbox.flush();
  await deliver(outbox.backlog);
  if ((done + 2 * TURN) % (readings / 10) === 0) look();
}
await spool[Symbol.asyncDispose]();
if (losses.total > 0 || outbox.size > 0) throw new Error(`${losses.total} lost, ${outbox.size} left`);
console.log(JSON.stringify(found));

function append() {
  for (let index = 0; index < TURN; index += 1) outbox.append(source.next().value);
}

async function deliver(lane) {
  let delivered = 0;
  for (;;) {
    const taken = await lane.take(64);
    if (taken.length === 0) break;
    delivered += taken.length;
    await lane.acknowledge(taken.length, lane.epoch);
  }
  if (delivered !== TURN) throw new Error(`${delivered} delivered of ${TURN}`);
}

function look() {
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  found.heapMib.push(heapUsed / MIB);
  found.rssMib.push(rss / MIB);
}
