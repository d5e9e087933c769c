/**
 * Opens the outbox of the daemon: memory, and the spool in the state directory with the readings of earlier runs. Disposing
 * writes every undelivered reading to disk, for at most CLOSE_TIMEOUT_MS.
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

/** The agent stops within 5 s even if the disk hangs; this leaves 1 s for everything else. */
const CLOSE_TIMEOUT_MS = 4_000;

export interface OutboxContext {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly timestamper: Timestamper;
  readonly log: Logger;
  /** Aborts when the agent stops; an outbox is also closed when its settings change. */
  readonly signal: AbortSignal;
}

export interface OpenOutbox extends AsyncDisposable {
  readonly outbox: TieredOutbox;
  /** Bytes on disk that the spool uses or has reserved. */
  readonly spoolBytes: () => number;
  /** The clock offset of this boot that the spool has stored, for readings without a timestamp. */
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
