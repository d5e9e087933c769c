/**
 * A kill while readings are spooled, on a plain directory: the part of `npm run test:power` (spool-cuts.ts)
 * that needs no disk of its own.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openExperiment } from './experiment.ts';
import { BACKLOG_DELIVERED, SPOOLING_STARTED, SpoolingGateway } from './spooling-gateway.ts';

const WITHIN_MS = 120_000;

test('readings flushed before a kill arrive after the next start with their timestamps', {
  timeout: 300_000,
}, async () => {
  await using experiment = await openExperiment(5);
  await using gateway = await SpoolingGateway.create(experiment, 'gw-killed', join(experiment.path, 'state'));
  gateway.tap.isOpen = false;
  await using boot = gateway.start();
  assert.equal(await boot.waitFor([SPOOLING_STARTED], WITHIN_MS), SPOOLING_STARTED);
  await boot.kill();
  const line = boot.lines.find((each) => each.includes(SPOOLING_STARTED)) ?? '';
  const flushed = Number(/ readings=(\d+)/.exec(line)?.[1]);
  assert.ok(flushed >= 2, line);
  gateway.tap.isOpen = true;
  await using restarted = gateway.start();
  assert.equal(await restarted.waitFor([BACKLOG_DELIVERED], WITHIN_MS), BACKLOG_DELIVERED);
  assert.deepEqual(gateway.files, []);
  assert.equal((await restarted.stop()).code, 0);
  const { missing, problems } = gateway.compare();
  assert.deepEqual(problems, []);
  const [first = []] = gateway.readings;
  const lost = missing.filter(({ tsMs }) => tsMs <= (first[flushed - 1]?.tsMs ?? 0));
  assert.deepEqual(lost, []);
});
