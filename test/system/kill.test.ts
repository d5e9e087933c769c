/**
 * A few of the kills of `npm run test:power`, so that every `npm test` pulls the plug somewhere: at a stride from the first write of
 * the intent to the first telemetry, with another offset each day. The full set is every call.
 */

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { DELIVERED } from './gateway.ts';
import { callsOfAFirstBoot, killAt } from './kills.ts';
import { listing, violations } from './report.ts';
import { inLanes, openStage } from './stage.ts';

const KILLS = 10;
const LANES = 2;

test('a first boot killed at any call ends, after the next start, as one device with its own token', {
  timeout: 300_000,
}, async () => {
  await using stage = await openStage(5);
  const calls = await callsOfAFirstBoot(stage);
  const first = calls.indexOf('openSync') + 1;
  assert.ok(first > 0 && calls.includes('udp receive'), calls.join(', '));
  const stride = (calls.length - first) / KILLS;
  const today = (Math.floor(Date.now() / 86_400_000) % 10) / 10;
  const instants = Array.from({ length: KILLS }, (_, index) => first + Math.floor((index + today) * stride));
  const outcomes = await inLanes(LANES, instants, (at) => killAt(stage, `gw-${at}`, [at]));
  assert.equal(listing(violations(outcomes)), '');
  const kinds = new Set(outcomes.map(({ standing }) => standing));
  assert.ok(kinds.has('intent on disk, device made'), [...kinds].join(', '));
});

test('the judgement is not blind: a gateway whose intent was lost is declined, and that is told', {
  timeout: 300_000,
}, async () => {
  await using stage = await openStage(5);
  await using gateway = await stage.gateway('gw-forgetful');
  await using boot = gateway.start();
  assert.equal(await boot.sees([DELIVERED], 120_000), DELIVERED);
  await boot.kill();
  await rm(gateway.state, { recursive: true });
  assert.equal(gateway.standing(), 'nothing on disk, device made');
  const problems = gateway.problems(await gateway.recover());
  assert.match(problems[0] ?? '', /did not deliver: reason=declined/);
  assert.ok(problems.includes('2 tokens were proposed'), problems.join('; '));
});
