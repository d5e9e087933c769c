/**
 * Some of the kills of `npm run test:power`: at a stride from the first write of the intent to the first telemetry, with another
 * offset each day. The full set is every call.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLanes, openExperiment } from './experiment.ts';
import { callsOfAFirstBoot, killAt } from './kills.ts';
import { listing, violations } from './report.ts';

const LANES = 2;
/** From so many on, one meets a gateway whose intent is on the disk and whose device is made. */
const MANY = 10;

export function testFirstBootKills(kills: number): void {
  test('a first boot killed at any call ends, after the next start, as one device with its own token', {
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
    const outcomes = await inLanes(LANES, instants, (at) => killAt(experiment, `gw-${at}`, [at]));
    assert.equal(listing(violations(outcomes)), '');
    if (kills < MANY) return;
    const kinds = new Set(outcomes.map(({ standing }) => standing));
    assert.ok(kinds.has('intent on disk, device made'), [...kinds].join(', '));
  });
}
