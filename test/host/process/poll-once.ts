/** A number that another program is asked for, and what comes of the first question; the program is a script of the test. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { PolledNumber } from '../../../src/host/process/polled-number.ts';

/** The path of a program called `name` that does what `script` says. */
export function program(t: TestContext, name: string, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-asked-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = join(folder, name);
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return command;
}

/** `open` gets the sleep of a clock on which no deadline is ever over. */
export async function pollOnce(open: (sleep: Clock['sleep']) => PolledNumber): Promise<number | undefined> {
  const stop = new AbortController();
  // The first sleep of the loop itself means that it has been answered; that of a deadline only ends with its signal.
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
