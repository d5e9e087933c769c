/** The agent's outbox with a spool in a directory, for programs that fill it themselves. */

import { Losses } from '../../src/core/losses.ts';
import { NodeDirectory } from '../../src/outbox/node-directory.ts';
import { JoinedOutbox } from '../../src/outbox/outbox.ts';
import { Spool } from '../../src/outbox/spool.ts';

export const BOOT_ID = 'the-boot-of-the-bench';
const HOUR_MS = 3_600_000;

/** A disk error throws. */
export async function openOutbox(directory, spoolBytesMax = 64_000_000) {
  const losses = new Losses();
  const fail = (message, fields) => {
    throw new Error(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug() {}, info() {}, warn: fail, error: fail };
  const options = { directory: new NodeDirectory(directory), bootId: BOOT_ID, losses, log };
  const spool = await Spool.open({ ...options, bytesMax: spoolBytesMax, freeShare: 0 });
  const clock = { bootId: BOOT_ID, bootMs: () => 0 };
  const stamp = () => ({ bootId: BOOT_ID, bootMs: 0 });
  const outbox = new JoinedOutbox(
    { clock, log, losses, spool, stamp },
    { spoolAfterMs: HOUR_MS, flushEveryMs: HOUR_MS },
  );
  return { outbox, spool, losses };
}
