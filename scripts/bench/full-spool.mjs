/**
 * Memory of the agent with a spool of 64 MB and with an empty one: after the start, while offline and while it delivers. All four
 * run at the same time, so that the conditions are equal. Delivery has no rate limit; most of the 64 MB is left at the end.
 */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';
import { memoryOf } from './memory.mjs';
import { flagsOfTheUnit, sleep, start } from './programs.mjs';

const SPOOL_BYTES = 64_000_000;
const INTERVAL_S = 10;
/** More than an agent flushes at once, so that filling takes seconds; the files come out the same. */
const PER_FLUSH = 240;
const WATCHED_S = 30;
const EXTRA_MIB_MAX = 8;
/** Nothing listens at the discard port of a host of today. */
const NOBODY = 9;

export async function measureFullSpool(bundle, sandbox, captured) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  try {
    const full = join(directory, 'full-offline');
    const { readings } = await runCompiled(
      'fill',
      {
        directory: join(full, 'spool'),
        captured,
        everyMs: INTERVAL_S * 1000,
        firstTsMs: Date.now() - 30 * 86_400_000,
        perFlush: PER_FLUSH,
        spoolBytesMax: SPOOL_BYTES,
      },
      { isQuick: true },
    );
    cpSync(full, join(directory, 'full-online'), { recursive: true });
    const kinds = ['empty-offline', 'full-offline', 'empty-online', 'full-online'];
    const found = await Promise.all(kinds.map((kind) => watch(bundle, sandbox, join(directory, kind), kind)));
    const [emptyOffline, fullOffline, emptyOnline, fullOnline] = found;
    const pair = (what, at, empty, filled) => [
      { name: `RSS ${what}, spool empty`, value: empty[at], unit: 'MiB' },
      { name: `RSS ${what}, spool full`, value: filled[at], unit: 'MiB' },
      { name: '  difference', value: filled[at] - empty[at], unit: 'MiB', max: EXTRA_MIB_MAX },
    ];
    return [
      { name: 'readings in a full spool', value: readings, unit: '' },
      { name: 'start to ready, spool empty', value: emptyOffline.readyMs, unit: 'ms' },
      { name: 'start to ready, spool full', value: fullOffline.readyMs, unit: 'ms' },
      ...pair('just started', 'atStart', emptyOffline, fullOffline),
      ...pair(`after ${WATCHED_S} s offline`, 'atEnd', emptyOffline, fullOffline),
      ...pair(`after ${WATCHED_S} s of delivering`, 'atEnd', emptyOnline, fullOnline),
      ...pair(`at most in ${WATCHED_S} s of delivering`, 'atMost', emptyOnline, fullOnline),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function watch(bundle, sandbox, state, kind) {
  const token = `bench-${kind}`;
  const isOnline = kind.endsWith('online');
  if (isOnline) await sandbox.createDevice(token, token);
  const port = isOnline ? sandbox.coapPort : NOBODY;
  const more = 'drain-rate = "1000"\n[outbox]\nfree-space = "0%"\n';
  const home = sandbox.home({ intervalS: INTERVAL_S, port, token, state, more });
  const agent = start([...flagsOfTheUnit(), bundle, ...home]);
  const { ms: readyMs } = await agent.event('FL-AGENT-STARTED');
  await sleep(1000);
  const atStart = memoryOf(agent.pid).RSS;
  let atMost = atStart;
  let atEnd = atStart;
  for (let second = 0; second < WATCHED_S; second += 1) {
    await sleep(1000);
    atEnd = memoryOf(agent.pid).RSS;
    atMost = Math.max(atMost, atEnd);
  }
  await agent.stop();
  return { readyMs, atStart, atMost, atEnd };
}
