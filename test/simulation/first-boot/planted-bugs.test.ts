/**
 * Tests the simulation: each planted bug must break a given promise within a few seeds.
 *
 * An outcome shows most bugs; the promises about order (what is durable when a datagram leaves) are sharper
 * and find them earlier. An acknowledgement before the token is stored has no outcome of its own: after a
 * power cut the gateway has another source port, so the repeated response of the server reaches nobody. There
 * only the order can be checked.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { costlyRepetitions, someOf } from '../../repetitions.ts';
import { firstBoot } from './first-boot.ts';
import type { Plant } from './planted-bugs.ts';
import type { PromiseName } from './promise-checker.ts';
import { repeatCommand } from './report.ts';
import type { StrategyName } from './strategies.ts';

interface Expectation {
  readonly plant: Plant;
  readonly strategy: StrategyName;
  readonly promise: PromiseName;
  /** The first seed to try; default 1. */
  readonly from?: number;
  /** Number of seeds within which it must be found; the comment has the first one that finds it. */
  readonly seeds: number;
}

const deviceGenerated: StrategyName = 'allow-create/device-generated';
const serverGenerated: StrategyName = 'allow-create/server-generated';

const EXPECTATIONS: readonly Expectation[] = [
  {
    plant: 'no-directory-fsync',
    strategy: deviceGenerated,
    promise: 'intent durable before the request',
    seeds: 5,
  }, // 1
  { plant: 'no-token-check', strategy: deviceGenerated, promise: 'never stranded', seeds: 20 }, // 1
  { plant: 'no-directory-fsync', strategy: deviceGenerated, promise: 'one proposed token', seeds: 40 }, // 8
  { plant: 'new-token-per-attempt', strategy: deviceGenerated, promise: 'one proposed token', seeds: 10 }, // 1
  { plant: 'new-token-per-attempt', strategy: deviceGenerated, promise: 'never stranded', seeds: 20 }, // 1
  { plant: 'no-intent', strategy: deviceGenerated, promise: 'intent durable before the request', seeds: 5 }, // 1
  { plant: 'no-intent', strategy: deviceGenerated, promise: 'never stranded', seeds: 40 }, // 5
  {
    plant: 'ack-before-persist',
    strategy: serverGenerated,
    promise: 'token durable before the acknowledgement',
    seeds: 20,
  }, // 2
  { plant: 'trial-stored', strategy: deviceGenerated, promise: 'no setting that cuts off stays', seeds: 10 }, // 2
  {
    plant: 'trial-kept',
    strategy: deviceGenerated,
    promise: 'no setting that cuts off stays',
    from: 19,
    seeds: 10,
  }, // 19
  {
    plant: 'commands-forgotten',
    strategy: deviceGenerated,
    promise: 'no command run twice',
    from: 302,
    seeds: 10,
  }, // 302
  {
    plant: 'command-dropped',
    strategy: deviceGenerated,
    promise: 'no acknowledged command lost',
    from: 18,
    seeds: 20,
  }, // 18
];

describe('a planted bug in the simulation', () => {
  for (const { plant, strategy, promise, from = 1, seeds } of someOf(EXPECTATIONS, 2)) {
    it(`the bug ${plant} breaks "${promise}" within ${seeds} seeds`, async () => {
      assert.ok(
        (await firstSeedThatBreaks(promise, strategy, plant, from, seeds)) !== undefined,
        repeatCommand(from, strategy, plant),
      );
    });
  }
});

describe('the simulation without a bug', () => {
  it('the simulation without a planted bug breaks no promise on the same seeds', async () => {
    for (const strategy of [deviceGenerated, serverGenerated]) {
      for (let seed = 1; seed <= costlyRepetitions(40, 2); seed += 1) {
        const { broken } = await firstBoot({ seed, strategy });
        assert.deepEqual(broken, [], repeatCommand(seed, strategy, undefined));
      }
    }
  });
});

async function firstSeedThatBreaks(
  promise: PromiseName,
  strategy: StrategyName,
  plant: Plant,
  from: number,
  seeds: number,
): Promise<number | undefined> {
  for (let seed = from; seed < from + seeds; seed += 1) {
    const { broken } = await firstBoot({ seed, strategy, plant });
    if (broken.some((each) => each.promise === promise)) return seed;
  }
  return undefined;
}
