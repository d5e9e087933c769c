/**
 * Whether the memory stays flat: a million readings through the agent's own outbox, half of them by way of the disk
 * (run-million.mjs). A leak of one byte a reading would be a megabyte here, and a year of the usual interval is three million.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';

const READINGS = 1_000_000;
const HEAP_GROWTH_MIB_MAX = 1;

export async function measureMillion(captured) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  try {
    const asked = { directory: join(directory, 'spool'), captured, readings: READINGS };
    const { heapMib, rssMib } = await runCompiled('million', asked, {
      flags: ['--expose-gc'],
      isQuick: true,
    });
    const growth = (values) => values.at(-1) - values[0];
    return [
      {
        name: 'heap grown from 100,000 to 1,000,000 readings',
        value: growth(heapMib),
        unit: 'MiB',
        max: HEAP_GROWTH_MIB_MAX,
      },
      { name: 'RSS grown meanwhile', value: growth(rssMib), unit: 'MiB' },
      { name: 'RSS at the end', value: rssMib.at(-1), unit: 'MiB' },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
