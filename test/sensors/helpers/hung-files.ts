/** Files whose reads hang, as those of a device can, until the test releases them. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Named pipes, which a read waits on until somebody writes, as it waits on a device. */
export function createHungFiles(t: TestContext, count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-hung-'));
  const paths = Array.from({ length: count }, (_, index) => join(folder, `hung${index}`));
  execFileSync('mkfifo', paths);
  // Open for both, so that opening them for reading does not wait as well.
  const pipes = paths.map((path) => openSync(path, 'r+'));
  const release = () => {
    for (const pipe of pipes) writeSync(pipe, 'at last\n');
  };
  t.after(() => {
    // A thread that still waits would keep a failed test's process.
    release();
    for (const pipe of pipes) closeSync(pipe);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, release };
}
