/**
 * Helpers for numbers that another program knows: a script in its place, and the result of the first read.
 */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { PolledNumber } from '../../../src/host/process/polled-number.ts';

/** Writes a program called `name` with this script, and returns its path. */
export function writeProgram(t: TestContext, name: string, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-program-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, name);
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return command;
}

/** Runs one read. `open` gets the sleep of a clock on which no deadline passes. */
export async function pollOnce(open: (sleep: Clock['sleep']) => PolledNumber): Promise<number | undefined> {
  const stop = new AbortController();
  // The first long sleep follows the first read and ends the loop; a deadline ends with its signal only.
  const sleep: Clock['sleep'] = (ms, signal) => {
    if (ms > 60_000) stop.abort();
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
  };
  const number = open(sleep);
  await number.run(stop.signal);
  return number.last;
}
