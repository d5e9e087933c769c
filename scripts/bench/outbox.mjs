/** The agent's outbox with a spool in a directory, for programs that fill it themselves. */

import { LossReport } from '../../src/core/model/loss-report.ts';
import { TieredOutbox } from '../../src/outbox/outbox.ts';
import { FsSpoolDirectory } from '../../src/outbox/spool/fs-directory.ts';
import { Spool } from '../../src/outbox/spool/spool.ts';

export const BOOT_ID = 'the-boot-of-the-bench';
const HOUR_MS = 3_600_000;

/** A disk error throws. */
export async function openOutbox(directory, spoolBytesMax = 64_000_000) {
  const losses = new LossReport();
  const fail = (message, fields) => {
    throw new Error(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug() {}, info() {}, warn: fail, error: fail };
  const options = { directory: new FsSpoolDirectory(directory), bootId: BOOT_ID, losses, log };
  const spool = await Spool.open({ ...options, bytesMax: spoolBytesMax, freeShare: 0 });
  const clock = { bootId: BOOT_ID, bootMs: () => 0 };
  const now = () => ({ bootId: BOOT_ID, bootMs: 0 });
  const outbox = new TieredOutbox(
    { clock, log, losses, spool, now },
    { spoolAfterMs: HOUR_MS, flushEveryMs: HOUR_MS },
  );
  return { outbox, spool, losses };
}
