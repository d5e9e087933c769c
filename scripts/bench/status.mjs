/** The cost of a write of the status file, in memory if this host has /dev/shm. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';

const MEMORY = '/dev/shm';

export async function measureStatus() {
  const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'firstlight-bench-'));
  try {
    const { cpuMs, bytes } = await runCompiled('status', { directory });
    return [
      { name: 'CPU per write of the status', value: cpuMs, unit: 'ms' },
      { name: 'size of the status file', value: bytes, unit: 'B' },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
