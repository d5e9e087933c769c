/**
 * The outbox in memory keeps the contract, holds a day of readings, and gives back the memory of what left
 * it.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Reading } from '../../src/core/reading.ts';
import { RamOutbox, READINGS_MAX } from '../../src/outbox/ram.ts';
import { outboxContract } from '../contracts/outbox.ts';

outboxContract('the outbox in memory', (readingsMax) => new RamOutbox(readingsMax));

it('unless told otherwise it holds a day of readings, one in ten seconds', () => {
  const outbox = new RamOutbox();
  for (let tsMs = 0; tsMs <= READINGS_MAX; tsMs += 1) outbox.append({ tsMs, values: { a: 1 } });
  assert.equal(READINGS_MAX, 86_400 / 10);
  assert.equal(outbox.size, READINGS_MAX);
  assert.equal(outbox.dropped, 1);
});

it('what left it is not kept alive', { skip: globalThis.gc ? false : 'needs --expose-gc' }, async () => {
  const outbox = new RamOutbox();
  let reading: Reading | undefined = { tsMs: 1, values: { a: 1 } };
  const left = new WeakRef(reading);
  outbox.append(reading);
  reading = undefined;
  outbox.peek(1);
  outbox.acknowledge(1);
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  assert.equal(left.deref(), undefined);
});

it('a wait that is over is not kept alive', {
  skip: globalThis.gc ? false : 'needs --expose-gc',
}, async () => {
  const outbox = new RamOutbox();
  const waited = async () => {
    const stop = new AbortController();
    const wait = outbox.waitForReading(stop.signal);
    stop.abort();
    await wait;
    return new WeakRef(stop.signal);
  };
  const over = await waited();
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  assert.equal(over.deref(), undefined);
  assert.equal(outbox.size, 0);
});

it('a year of readings passing through costs no more memory than the few that wait', {
  skip: globalThis.gc ? false : 'needs --expose-gc',
}, () => {
  const outbox = new RamOutbox();
  const pass = (count: number) => {
    for (let tsMs = 0; tsMs < count; tsMs += 1) {
      outbox.append({ tsMs, values: { a: tsMs } });
      outbox.acknowledge(outbox.peek(1).length);
    }
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const before = pass(10_000);
  const grownBytes = pass(500_000) - before;
  assert.ok(grownBytes < 2_000_000, `${grownBytes} bytes`);
});
