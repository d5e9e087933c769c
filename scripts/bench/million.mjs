/**
 * Whether memory stays flat: a million readings through the agent's own outbox, half of them through the spool
 * (run-million.mjs). A leak of one byte per reading would show as 1 MB. A year at the default interval is three million readings.
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
    const parameters = { directory: join(directory, 'spool'), captured, readings: READINGS };
    const { heapMib, rssMib } = await runCompiled('million', parameters, {
      flags: ['--expose-gc'],
      isQuick: true,
    });
    const growth = (values) => values.at(-1) - values[0];
    return [
      {
        name: 'heap growth from 100,000 to 1,000,000 readings',
        value: growth(heapMib),
        unit: 'MiB',
        max: HEAP_GROWTH_MIB_MAX,
      },
      { name: 'RSS growth', value: growth(rssMib), unit: 'MiB' },
      { name: 'RSS at the end', value: rssMib.at(-1), unit: 'MiB' },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
