/** What a write of the status costs, on memory where this host has some (/dev/shm). */

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
