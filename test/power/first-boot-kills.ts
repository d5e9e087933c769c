/**
 * The kills of kill.test.ts and kill.slow.test.ts: at a stride from the first write of the intent to the
 * first telemetry, with another offset each day. `npm run test:power` kills at every call.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openExperiment, runInLanes } from './experiment.ts';
import { callsOfAFirstBoot, killAt } from './kills.ts';
import { listing, violations } from './report.ts';

const LANES = 2;
/** With at least this many kills, one hits a gateway whose intent is on the disk and whose device exists. */
const THOROUGH_KILLS = 10;

export function testFirstBootKills(kills: number): void {
  test('a first boot killed at any call becomes one device with its own token', {
    timeout: 300_000,
  }, async () => {
    await using experiment = await openExperiment(5);
    const calls = await callsOfAFirstBoot(experiment);
    const first = calls.indexOf('openSync') + 1;
    assert.ok(first > 0 && calls.includes('udp receive'), calls.join(', '));
    const stride = (calls.length - first) / kills;
    const today = (Math.floor(Date.now() / 86_400_000) % 10) / 10;
    const instants = Array.from(
      { length: kills },
      (_, index) => first + Math.floor((index + today) * stride),
    );
    const outcomes = await runInLanes(LANES, instants, (at) => killAt(experiment, `gw-${at}`, [at]));
    assert.equal(listing(violations(outcomes)), '');
    if (kills < THOROUGH_KILLS) return;
    const situations = new Set(outcomes.map(({ situation }) => situation));
    assert.ok(situations.has('intent on disk, device exists'), [...situations].join(', '));
  });
}
