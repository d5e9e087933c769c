/**
 * The outbox of a running agent: memory, and the spool in the state directory. What waited on the disk is found there
 * again, and disposing of it brings everything undelivered there, within the time an agent has that is told to stop.
 */

import { join } from 'node:path';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import { LossReport } from '../core/model/loss-report.ts';
import type { Clock, StoredOffsets } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { TieredOutbox } from '../outbox/outbox.ts';
import { FsSpoolDirectory } from '../outbox/spool/fs-directory.ts';
import { Spool } from '../outbox/spool/spool.ts';

/** An agent that is told to stop is gone within five seconds, whatever the disk does; this leaves one for the rest. */
const CLOSE_TIMEOUT_MS = 4_000;

export interface OutboxContext {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly timestamper: Timestamper;
  readonly log: Logger;
  /** Aborted when the agent stops: an outbox may also be closed to be opened with other settings. */
  readonly signal: AbortSignal;
}

export interface OpenOutbox extends AsyncDisposable {
  readonly outbox: TieredOutbox;
  /** Bytes of the disk that readings take, or have taken and keep for the next. */
  readonly spoolBytes: () => number;
  /** What the spool has kept of this boot's clock, for readings without a date. */
  readonly storedOffsets: StoredOffsets | undefined;
}

export async function openOutbox(config: Config, context: OutboxContext): Promise<OpenOutbox> {
  const { state, clock, timestamper, log } = context;
  const losses = new LossReport();
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
  { clock, log, signal }: OutboxContext,
): Promise<void> {
  const timeout = new AbortController();
  const closePromise = outbox.close().then(() => spool[Symbol.asyncDispose]());
  let isClosed = false;
  void closePromise.then(() => {
    isClosed = true;
  });
  await Promise.race([closePromise, clock.sleep(CLOSE_TIMEOUT_MS, timeout.signal)]);
  timeout.abort();
  if (!isClosed) {
    logEvent(log, 'FL-SHUTDOWN-WRITE-TIMEOUT', { afterS: CLOSE_TIMEOUT_MS / 1000 });
  }
  if (signal.aborted)
    logEvent(log, 'FL-AGENT-STOPPED', { queuedReadings: outbox.size, lostReadings: outbox.losses.total });
}
