/** A hanging disk delays only its own readings. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Lane } from '../../../src/core/ports/outbox.ts';
import { DeliveryHarness, settled, timesIn } from './delivery-harness.ts';

it('fresh readings are delivered while reading the backlog hangs', async () => {
  const harness = new DeliveryHarness();
  await harness.appendBacklog(1, 2, 3);
  const { backlog } = harness.outbox;
  const take: Lane['take'] = () => new Promise(() => {});
  Object.assign(backlog, { take });
  for (let tsMs = 1_000; tsMs < 1_050; tsMs += 1) {
    const step = harness.step();
    await settled();
    harness.append(tsMs);
    assert.deepEqual(await step, { type: 'delivered' });
  }
  assert.equal(harness.transport.telemetry.flatMap(timesIn).length, 50);
});

it('a hanging acknowledgement stops only the backlog', async () => {
  const harness = new DeliveryHarness();
  await harness.appendBacklog(1);
  const acknowledge: Lane['acknowledge'] = () => new Promise(() => {});
  Object.assign(harness.outbox.backlog, { acknowledge });
  void harness.step();
  await settled();
  await settled();
  harness.append(1_000);
  await settled();
  await settled();
  assert.ok(harness.transport.telemetry.flatMap(timesIn).includes(1_000));
  assert.equal(harness.outbox.fresh.size, 0);
  harness.stop.abort();
});
