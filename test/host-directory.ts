/** Temporary directories for the files of test hosts. */

import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** In memory where possible: to create and delete the files of a host costs a tenth of what it costs on a disk. */
const IN_MEMORY = '/dev/shm';

/** An empty directory, removed after the test. */
export function hostDirectory(
  t: TestContext,
  below: string = isWritable(IN_MEMORY) ? IN_MEMORY : tmpdir(),
): string {
  const directory = mkdtempSync(join(below, 'firstlight-host-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
