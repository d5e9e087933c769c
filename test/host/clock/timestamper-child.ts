/**
 * A process that takes a timestamp ten times a second and prints each as a line of JSON. Run by
 * timestamper-date-jumps.test.ts under libfaketime. Arguments: the clock trust, and the root under which
 * timesyncd's file would be.
 */

import { Timestamper } from '../../../src/core/timestamps/timestamper.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { hostTimeSync } from '../../../src/host/clock/time-sync.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const [, , trust, root = ''] = process.argv;
const clock = hostClock();
const log = new RecordingLogger();
const commands = { timedatectl: '/nonexistent', perl: '/nonexistent' };
const timeSync = hostTimeSync({ root, clock, log, commands });
const timestamper = new Timestamper(
  { clock, timeSync, log },
  { trust: trust === 'system' ? 'system' : 'synchronised' },
);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const watching = timestamper.run(async () => {}, stop.signal);
while (!stop.signal.aborted) {
  const beforeMs = clock.monotonicMs();
  await clock.sleep(100, stop.signal);
  const sleptMs = clock.monotonicMs() - beforeMs;
  const events = log.logged.map(({ level, fields }) => `${level} ${fields['byS'] ?? ''}`.trim());
  process.stdout.write(
    `${JSON.stringify({ instant: timestamper.now(), wallMs: clock.wallMs(), sleptMs, events })}\n`,
  );
}
await watching;
