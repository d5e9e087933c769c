/** An invalid field of /proc/meminfo costs only the values that are computed from it. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost } from '../helpers/captured-host.ts';
import { valuesWithPrefix } from '../helpers/renumber-devices.ts';

const MEMORY = {
  memoryAvailableBytes: 3401820 * 1024,
  memoryTotalBytes: 3884136 * 1024,
  memoryUsedBytes: (3884136 - 3401820) * 1024,
  memoryUsedPercent: 12.4,
};
const SWAP = { swapTotalBytes: 102396 * 1024, swapUsedBytes: 4096 * 1024, swapUsedPercent: 4 };

/** A value of a field in kB, and the keys of memory and swap that remain. */
const FIELDS: readonly {
  readonly text: string;
  readonly memory: Readonly<Record<string, number>>;
  readonly swap: Readonly<Record<string, number>>;
}[] = [
  {
    text: 'SwapTotal: 0 kB\nSwapFree: 18446744073709551488 kB',
    memory: MEMORY,
    swap: { swapTotalBytes: 0 },
  },
  { text: 'SwapTotal: 9007199246672720 kB', memory: MEMORY, swap: {} },
  { text: 'SwapFree: 102397 kB', memory: MEMORY, swap: { swapTotalBytes: 102396 * 1024 } },
  { text: 'SwapFree: 98300', memory: MEMORY, swap: { swapTotalBytes: 102396 * 1024 } },
  {
    text: 'MemAvailable: 18446744073709551488 kB',
    memory: { memoryTotalBytes: 3884136 * 1024 },
    swap: SWAP,
  },
  { text: 'MemAvailable: 3884137 kB', memory: { memoryTotalBytes: 3884136 * 1024 }, swap: SWAP },
  {
    text: 'MemTotal: -1 kB',
    memory: { memoryAvailableBytes: MEMORY.memoryAvailableBytes },
    swap: SWAP,
  },
];

for (const { text, memory, swap } of FIELDS) {
  it(`"${text.replaceAll('\n', ', ')}" costs only what is computed from it`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    for (const line of text.split('\n')) {
      pi.edit('proc/meminfo', new RegExp(`^${line.split(':')[0]}:.*$`, 'm'), line);
    }
    for (let round = 0; round < 2; round += 1) {
      const values = await pi.sampleAfter(10_000);
      assert.deepEqual(valuesWithPrefix(values, 'memory'), memory);
      assert.deepEqual(valuesWithPrefix(values, 'swap'), swap);
    }
    assert.deepEqual(pi.logger.lines, ['warn memory']);
  });
}

it('memory and swap are absent while /proc/meminfo holds zeros only', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  await pi.sampleAfter(0);
  pi.write('proc/meminfo', pi.read('proc/meminfo').replaceAll(/\d+ kB/g, '0 kB'));
  const values = await pi.sampleAfter(10_000);
  assert.deepEqual(valuesWithPrefix(values, 'memory'), {});
  assert.deepEqual(valuesWithPrefix(values, 'swap'), {});
});

it('a host without swap has 0 bytes of it and no share', async (t) => {
  const values = await new CapturedHost('container', t).sampleAfter(0);
  assert.deepEqual(valuesWithPrefix(values, 'swap'), { swapTotalBytes: 0, swapUsedBytes: 0 });
});
