/** Files of the spool that are delivered while the disk cannot be written. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LossReport } from '../../src/core/model/loss-report.ts';
import { TieredOutbox } from '../../src/outbox/outbox.ts';
import { Spool } from '../../src/outbox/spool/spool.ts';
import { PowerCutDirectory } from '../doubles/power-cut/power-cut-directory.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

it('files delivered from a read-only disk are removed when it can be written again', async () => {
  const directory = new PowerCutDirectory();
  const clock = new VirtualClock();
  const { bootId } = clock;
  const log = new RecordingLogger();
  const losses = new LossReport();
  const bounds = { bytesMax: 1_000_000, freeShare: 0.1 };
  await using spool = await Spool.open({ directory, bootId, losses, log, ...bounds });
  const now = () => ({ bootId, bootMs: clock.bootMs(), tsMs: clock.wallMs() });
  const settings = { spoolAfterMs: 60_000, flushEveryMs: 60_000 };
  const outbox = new TieredOutbox({ clock, log, losses, now, spool }, settings);
  const stop = new AbortController();
  const running = outbox.run(stop.signal);

  outbox.append({ ...now(), values: { n: 1 }, isSnapshot: true });
  await clock.advance(61_000);
  directory.readOnly = true;
  const [reading] = await outbox.backlog.take(9);
  assert.equal(reading?.values['n'], 1);
  await outbox.backlog.acknowledge(1, outbox.backlog.epoch);
  assert.deepEqual([outbox.size, directory.names], [0, ['00000001.log']]);

  directory.readOnly = false;
  const { writes } = directory.counts;
  for (let minute = 0; minute < 3; minute += 1) {
    outbox.append({ ...now(), values: { n: 2 + minute }, isSnapshot: true });
    await outbox.fresh.take(1);
    await outbox.fresh.acknowledge(1, outbox.fresh.epoch);
    await clock.advance(60_000);
  }
  assert.deepEqual([directory.names, directory.counts.writes], [[], writes]);
  stop.abort();
  await running;
  assert.equal(clock.sleeping, 0);
});
