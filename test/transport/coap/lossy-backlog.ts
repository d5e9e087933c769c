/**
 * A backlog over a lossy road: the measured time-out against the fixed 2 s the agent had before, in virtual
 * time, against the sandbox. The shares asserted are about 1.3 times those measured (2026-11-22).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cost, fixedTiming, runPosts } from './helpers/lossy-network.ts';

const POSTS = 300;

async function averageCost(
  seeds: readonly number[],
  lostShare: number,
  inFlight: number,
  fixed: boolean,
): Promise<Cost> {
  const road = { lostShare, delayMs: 50, posts: POSTS, inFlight, ...(fixed && { timing: fixedTiming }) };
  const costs: Cost[] = [];
  for (const seed of seeds) costs.push(await runPosts({ ...road, seed }));
  return {
    tookMs: costs.reduce((sum, { tookMs }) => sum + tookMs, 0),
    datagrams: costs.reduce((sum, { datagrams }) => sum + datagrams, 0),
    failed: costs.flatMap(({ failed: refused }) => refused),
  };
}

/** Each backlog is 300 posts, and is driven once for each seed. */
export function testLossyBacklog(seeds: readonly number[]): void {
  const posts = seeds.length * POSTS;
  test(`without loss, ${posts.toLocaleString('en')} posts cost as many datagrams: nothing is repeated needlessly`, async () => {
    const { datagrams, failed: refused } = await averageCost(seeds, 0, 4, false);
    assert.deepEqual([datagrams, refused], [posts, []]);
  });

  for (const inFlight of [1, 4]) {
    test(`with 5 % lost each way and ${inFlight} in flight, what loss costs falls to a fifth`, async () => {
      const lossless = await averageCost(seeds, 0, inFlight, false);
      const fixed = await averageCost(seeds, 0.05, inFlight, true);
      const adaptive = await averageCost(seeds, 0.05, inFlight, false);
      assert.deepEqual(adaptive.failed, []);
      const share = (adaptive.tookMs - lossless.tookMs) / (fixed.tookMs - lossless.tookMs);
      assert.ok(share < 0.2, `${share.toFixed(2)} of the time that losses cost`);
      assert.ok(adaptive.datagrams < 1.03 * fixed.datagrams, `${adaptive.datagrams} datagrams`);
    });
  }

  for (const [inFlight, most] of [
    [1, 0.7],
    [4, 0.52],
  ] as const) {
    test(`with 30 % lost each way and ${inFlight} in flight, posts take less than ${most} of the time`, async () => {
      const fixed = await averageCost(seeds, 0.3, inFlight, true);
      const adaptive = await averageCost(seeds, 0.3, inFlight, false);
      const share = adaptive.tookMs / fixed.tookMs;
      assert.ok(share < most, `${share.toFixed(2)} of the time`);
      assert.ok(adaptive.failed.length <= fixed.failed.length + 6, `${adaptive.failed.length} refused`);
      assert.ok(adaptive.datagrams < 1.2 * fixed.datagrams, `${adaptive.datagrams} datagrams`);
    });
  }
}
