/** A change of [outbox] or [clock]: the readings of the old outbox reach the next one, also if the disk fails. */

import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type OutboxRemainder, openOutbox } from '../../../src/app/outbox.ts';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import { Timestamper } from '../../../src/core/timestamps/timestamper.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { tempDir } from '../agent-process.ts';

const config = {
  outbox: { spoolBytes: 1_000_000, freeShare: 0, spoolAfterMs: 60_000, flushEveryMs: 60_000 },
};

test('a change of the outbox keeps readings and losses that a failing disk did not take', async () => {
  await using place = await tempDir();
  const { path: state } = place;
  const spool = join(state, 'spool');
  const [clock, log, stop] = [new VirtualClock(), new RecordingLogger(), new AbortController()];
  const timeSync = { isSynchronised: async () => true, confirmsStep: async () => true };
  const timestamper = new Timestamper({ clock, log, timeSync }, { trust: 'system' });
  const remainder: OutboxRemainder = { losses: new LossReport(), readings: [] };
  const context = { state, clock, log, timestamper, remainder, signal: stop.signal };
  // No directory: every write fails.
  await writeFile(spool, '');
  {
    await using opened = await openOutbox(config, context);
    for (const n of [1, 2])
      opened.outbox.append({ ...timestamper.now(), values: { n }, isSnapshot: n === 1 });
    await opened.outbox.flush();
    opened.outbox.append({ ...timestamper.now(), values: { n: 3 }, isSnapshot: false });
    remainder.losses.add({ readings: 4, reason: 'malformed' });
  }
  {
    await using opened = await openOutbox(config, context);
    assert.deepEqual([opened.outbox.size, opened.outbox.losses.unreported], [3, 4]);
    const [first] = await opened.outbox.backlog.take(1);
    assert.deepEqual([first?.values, first?.isSnapshot], [{ n: 1 }, true]);
    await opened.outbox.backlog.acknowledge(1, opened.outbox.backlog.epoch);
    await rm(spool);
  }
  assert.deepEqual(remainder.readings, []);
  assert.equal((await readdir(spool)).length, 1);
  await using opened = await openOutbox(config, context);
  const readings = await opened.outbox.backlog.take(9);
  assert.deepEqual(
    readings.map(({ values, gap }) => values[gap ? 'lostReadings' : 'n']),
    [2, 3, 4],
  );
  assert.equal(readings[0]?.isSnapshot, true);
});
