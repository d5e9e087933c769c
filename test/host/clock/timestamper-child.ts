/**
 * A process that stamps ten times a second by the host's clock, one line of JSON each: what test/host/dating-faked.test.ts
 * runs under libfaketime. Arguments: the trust, and the root under which timesyncd's file would be.
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
    `${JSON.stringify({ stamp: timestamper.now(), wallMs: clock.wallMs(), sleptMs, events: events })}\n`,
  );
}
await watching;
