/**
 * The simulation tested: each planted bug must turn it red within a few seeds, by the promise it breaks.
 *
 * Where an outcome shows the bug, the outcome is asked for; `order` promises (what is durable when a datagram leaves) are
 * sharper and see it earlier. Acknowledging before the token is kept has no outcome of its own: after a power cut the gateway
 * has another source port, and the answer the server still repeats reaches nobody. There the order is all that can be held to.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { firstBoot } from './first-boot.ts';
import type { Plant } from './planted-bugs.ts';
import type { PromiseName } from './promise-checker.ts';
import { again } from './report.ts';
import type { StrategyName } from './strategies.ts';

interface Expectation {
  readonly plant: Plant;
  readonly strategy: StrategyName;
  readonly promise: PromiseName;
  /** Seeds within which it must be found; the first that does is in the comment. */
  readonly seeds: number;
}

const created: StrategyName = 'allow-create/device-generated';
const issued: StrategyName = 'allow-create/server-generated';

const EXPECTATIONS: readonly Expectation[] = [
  { plant: 'no-directory-fsync', strategy: created, promise: 'intent durable before the request', seeds: 5 }, // 1
  { plant: 'no-directory-fsync', strategy: created, promise: 'one proposed token', seeds: 40 }, // 8
  { plant: 'no-probe', strategy: created, promise: 'never stranded', seeds: 20 }, // 1
  { plant: 'new-token-per-attempt', strategy: created, promise: 'one proposed token', seeds: 10 }, // 1
  { plant: 'new-token-per-attempt', strategy: created, promise: 'never stranded', seeds: 20 }, // 1
  { plant: 'no-intent', strategy: created, promise: 'intent durable before the request', seeds: 5 }, // 1
  { plant: 'no-intent', strategy: created, promise: 'never stranded', seeds: 40 }, // 5
  {
    plant: 'ack-before-keep',
    strategy: issued,
    promise: 'token durable before the acknowledgement',
    seeds: 20,
  }, // 2
];

describe('a planted bug turns the simulation red', () => {
  for (const { plant, strategy, promise, seeds } of EXPECTATIONS) {
    it(`${plant}: "${promise}" breaks within ${seeds} seeds of ${strategy}`, async () => {
      assert.ok(
        (await firstSeedThatBreaks(promise, strategy, plant, seeds)) !== undefined,
        again(1, strategy, plant),
      );
    });
  }
});

describe('without the bug', () => {
  it('the same seeds are green', async () => {
    for (const strategy of [created, issued]) {
      for (let seed = 1; seed <= 40; seed += 1) {
        const { broken } = await firstBoot({ seed, strategy });
        assert.deepEqual(broken, [], again(seed, strategy, undefined));
      }
    }
  });
});

async function firstSeedThatBreaks(
  promise: PromiseName,
  strategy: StrategyName,
  plant: Plant,
  seeds: number,
): Promise<number | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { broken } = await firstBoot({ seed, strategy, plant });
    if (broken.some((each) => each.promise === promise)) return seed;
  }
  return undefined;
}
