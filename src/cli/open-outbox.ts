/**
 * The outbox of a running agent: memory, and the spool in the state directory. What waited on the disk is found there
 * again, and at the end everything undelivered goes there.
 */

import { join } from 'node:path';
import type { Config } from '../core/config.ts';
import type { Dating } from '../core/dating.ts';
import { Losses } from '../core/losses.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { NodeDirectory } from '../outbox/node-directory.ts';
import { JoinedOutbox } from '../outbox/outbox.ts';
import { Spool } from '../outbox/spool.ts';

/** An agent that is told to stop is gone within five seconds, whatever the disk does; this leaves one for the rest. */
const CLOSE_MS_MAX = 4_000;

export interface OutboxContext {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly dating: Dating;
  readonly log: Logger;
}

export async function openOutbox(config: Config, context: OutboxContext): Promise<JoinedOutbox> {
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
  return new JoinedOutbox(ports, { spoolAfterMs, flushEveryMs });
}

/** Brings what is undelivered to the disk, and tells how the agent ended. */
export async function closeOutbox(outbox: JoinedOutbox, { clock, log }: OutboxContext): Promise<void> {
  const patience = new AbortController();
  const closing = outbox.close().then(() => 'closed' as const);
  const late = clock.sleep(CLOSE_MS_MAX, patience.signal).then(() => 'late' as const);
  const ended = await Promise.race([closing, late]);
  patience.abort();
  if (ended === 'late') {
    log.error(
      'the disk did not take the readings that wait in time, and those it did not take are lost: check the health of the card',
      { afterS: CLOSE_MS_MAX / 1000 },
    );
  }
  log.info('firstlight stopped', { waiting: outbox.size, lost: outbox.losses.total });
}
