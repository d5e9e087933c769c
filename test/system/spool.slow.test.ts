/** A kill while readings wait on the disk, on a plain directory: what a test without a disk of its own can do of `npm run test:power` (spool-cuts.ts). */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openExperiment } from './experiment.ts';
import { DRAINED, SPOOLING, SpoolingGateway } from './spooling-gateway.ts';

const WITHIN_MS = 120_000;

test('what was flushed to the disk before a kill arrives after the next start, dated when it was read', {
  timeout: 300_000,
}, async () => {
  await using experiment = await openExperiment(5);
  await using gateway = await SpoolingGateway.make(experiment, 'gw-killed', join(experiment.path, 'state'));
  gateway.tap.isOpen = false;
  await using boot = gateway.start();
  assert.equal(await boot.sees([SPOOLING], WITHIN_MS), SPOOLING);
  await boot.kill();
  const line = boot.lines.find((each) => each.includes(SPOOLING)) ?? '';
  const flushed = Number(/ readings=(\d+)/.exec(line)?.[1]);
  assert.ok(flushed >= 2, line);
  gateway.tap.isOpen = true;
  await using again = gateway.start();
  assert.equal(await again.sees([DRAINED], WITHIN_MS), DRAINED);
  assert.deepEqual(gateway.files, []);
  assert.equal((await again.stop()).code, 0);
  const { missing, problems } = gateway.settled();
  assert.deepEqual(problems, []);
  const [first = []] = gateway.noted;
  const lost = missing.filter(({ tsMs }) => tsMs <= (first[flushed - 1]?.tsMs ?? 0));
  assert.deepEqual(lost, []);
});
