/**
 * The outbox of a running agent: memory, and the spool in the state directory. What waited on the disk is found there
 * again, and disposing of it brings everything undelivered there, within the time an agent has that is told to stop.
 */

import { join } from 'node:path';
import { tell } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import { Losses } from '../core/model/loss-report.ts';
import type { Clock, KnownOffsets } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Dating } from '../core/timestamps/timestamper.ts';
import { JoinedOutbox } from '../outbox/outbox.ts';
import { NodeDirectory } from '../outbox/spool/fs-directory.ts';
import { Spool } from '../outbox/spool/spool.ts';

/** An agent that is told to stop is gone within five seconds, whatever the disk does; this leaves one for the rest. */
const CLOSE_MS_MAX = 4_000;

export interface OutboxContext {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly dating: Dating;
  readonly log: Logger;
  /** Aborted when the agent stops: an outbox may also be closed to be opened with other settings. */
  readonly signal: AbortSignal;
}

export interface OpenOutbox extends AsyncDisposable {
  readonly outbox: JoinedOutbox;
  /** Bytes of the disk that readings take, or have taken and keep for the next. */
  readonly spoolBytes: () => number;
  /** What the spool has kept of this boot's clock, for readings without a date. */
  readonly knownOffsets: KnownOffsets | undefined;
}

export async function openOutbox(config: Config, context: OutboxContext): Promise<OpenOutbox> {
  const { state, clock, dating, log } = context;
  const losses = new Losses();
  const { spoolBytes, freeShare, spoolAfterMs, flushEveryMs } = config.outbox;
  const spool = await Spool.open({
    directory: new NodeDirectory(join(state, 'spool')),
    bootId: clock.bootId,
    bytesMax: spoolBytes,
    freeShare,
    losses,
    log,
  });
  const ports = { clock, log, losses, spool, stamp: () => dating.stamp() };
  const outbox = new JoinedOutbox(ports, { spoolAfterMs, flushEveryMs });
  const { anchoredMs } = spool;
  const knownOffsets = anchoredMs === undefined ? undefined : { firstMs: anchoredMs };
  return {
    outbox,
    spoolBytes: () => spool.bytes,
    knownOffsets,
    [Symbol.asyncDispose]: () => close(outbox, spool, context),
  };
}

async function close(
  outbox: JoinedOutbox,
  spool: Spool,
  { clock, log, signal }: OutboxContext,
): Promise<void> {
  const patience = new AbortController();
  const closing = outbox.close().then(() => spool[Symbol.asyncDispose]());
  let isClosed = false;
  void closing.then(() => {
    isClosed = true;
  });
  await Promise.race([closing, clock.sleep(CLOSE_MS_MAX, patience.signal)]);
  patience.abort();
  if (!isClosed) {
    tell(log, 'FL-DISK-LATE', { afterS: CLOSE_MS_MAX / 1000 });
  }
  if (signal.aborted) tell(log, 'FL-STOPPED', { waiting: outbox.size, lost: outbox.losses.total });
}
