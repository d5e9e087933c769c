/** First boot and restart of the agent if the server has an IPv6 address that swallows every packet, on a real network. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingNeed } from '../faults/needs.ts';

const CHILD = join(import.meta.dirname, 'black-hole-child.js');
const APART = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
/** Half a second on an idle machine; the black hole must not add its time-outs of 20 s and more. */
const FIRST_TELEMETRY_MS_MAX = 15_000;
const skip = missingNeed('network namespaces') || missingNeed('mounts');

for (const scheme of ['coap', 'http']) {
  test(`an IPv6 black hole delays neither the first boot nor a restart over ${scheme}`, {
    skip,
    timeout: 300_000,
  }, (t) => {
    const { status, stdout, stderr } = spawnSync('unshare', [...APART, process.execPath, CHILD, scheme], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const { tookMs, devices } = JSON.parse(stdout) as { tookMs: number[]; devices: number };
    t.diagnostic(`first telemetry after ${tookMs.join(' and ')} ms`);
    assert.equal(devices, 1);
    assert.ok(Math.max(...tookMs) <= FIRST_TELEMETRY_MS_MAX, `${tookMs}`);
  });
}
