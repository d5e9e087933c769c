/** Files whose reads hang, as those of a device can, until the test releases them. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Named pipes: a read waits until `release` writes, as it waits on a device. */
export function createHungFiles(t: TestContext, count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-hung-'));
  const paths = Array.from({ length: count }, (_, index) => join(folder, `hung${index}`));
  execFileSync('mkfifo', paths);
  // Opened for both directions, so that opening them for reading does not wait.
  const pipes = paths.map((path) => openSync(path, 'r+'));
  const release = () => {
    for (const pipe of pipes) writeSync(pipe, 'at last\n');
  };
  t.after(() => {
    // A waiting thread would keep the process of a failed test alive.
    release();
    for (const pipe of pipes) closeSync(pipe);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, release };
}

/** A link to a named pipe without a writer in place of a file: even opening it waits, until the test ends. */
export function hangFile(t: TestContext, path: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-hung-'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  rmSync(path);
  symlinkSync(pipe, path);
  t.after(() => {
    // Opened for both directions, so that this does not wait for the reader.
    const both = openSync(pipe, 'r+');
    writeSync(both, '0\n');
    closeSync(both);
    rmSync(folder, { recursive: true });
  });
}
