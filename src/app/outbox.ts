/**
 * Opens the outbox of the daemon: memory, and the spool in the state directory with the readings of earlier runs. Disposing
 * writes every undelivered reading to disk, for at most CLOSE_TIMEOUT_MS. What a failing disk does not take goes to the next
 * outbox of the process.
 */

import { join } from 'node:path';
import { isSettledWithin } from '../core/async/abort.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import type { LossReport } from '../core/model/loss-report.ts';
import type { Reading } from '../core/model/reading.ts';
import type { Clock, StoredOffsets } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { TieredOutbox } from '../outbox/outbox.ts';
import { FsSpoolDirectory } from '../outbox/spool/fs-directory.ts';
import { Spool } from '../outbox/spool/spool.ts';

/** The agent stops within 5 s even if the disk hangs; this leaves 1 s for everything else. */
const CLOSE_TIMEOUT_MS = 4_000;

/** What passes from an outbox to the next one of the process, beside what is on the disk. */
export interface OutboxRemainder {
  readonly losses: LossReport;
  /** Readings that could not be written to the disk, the oldest first. */
  readonly readings: Reading[];
}

export interface OutboxContext {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly timestamper: Timestamper;
  readonly log: Logger;
  /** Aborts when the agent stops; an outbox is also closed when its settings change. */
  readonly signal: AbortSignal;
  /** Of the previous outbox; disposing replaces its readings by those of this one. */
  readonly remainder: OutboxRemainder;
}

export interface OpenOutbox extends AsyncDisposable {
  readonly outbox: TieredOutbox;
  /** Bytes on disk that the spool uses or has reserved. */
  readonly spoolBytes: () => number;
  /** The clock offset of this boot that the spool has stored, for readings without a timestamp. */
  readonly storedOffsets: StoredOffsets | undefined;
}

export async function openOutbox(
  config: Pick<Config, 'outbox'>,
  context: OutboxContext,
): Promise<OpenOutbox> {
  const { state, clock, timestamper, log, remainder } = context;
  const { losses } = remainder;
  const { spoolBytes, freeShare, spoolAfterMs, flushEveryMs } = config.outbox;
  const spool = await Spool.open({
    directory: new FsSpoolDirectory(join(state, 'spool')),
    bootId: clock.bootId,
    bytesMax: spoolBytes,
    freeShare,
    losses,
    log,
  });
  const ports = { clock, log, losses, spool, now: () => timestamper.now() };
  const outbox = new TieredOutbox(ports, { spoolAfterMs, flushEveryMs });
  await outbox.restore(remainder.readings.splice(0));
  const { bootOffsetMs } = spool;
  const storedOffsets = bootOffsetMs === undefined ? undefined : { firstMs: bootOffsetMs };
  return {
    outbox,
    spoolBytes: () => spool.bytes,
    storedOffsets,
    [Symbol.asyncDispose]: () => closeInTime(outbox, spool, context),
  };
}

async function closeInTime(
  outbox: TieredOutbox,
  spool: Spool,
  { clock, log, signal, remainder }: OutboxContext,
): Promise<void> {
  const closed = outbox.close().then(() => spool[Symbol.asyncDispose]());
  if (!(await isSettledWithin(CLOSE_TIMEOUT_MS, closed, clock))) {
    logEvent(log, 'FL-SHUTDOWN-WRITE-TIMEOUT', { afterS: CLOSE_TIMEOUT_MS / 1000 });
  }
  if (!signal.aborted) remainder.readings.push(...outbox.takeUnwritten());
  else logEvent(log, 'FL-AGENT-STOPPED', { queuedReadings: outbox.size, lostReadings: outbox.losses.total });
}
