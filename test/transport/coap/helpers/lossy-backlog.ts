/**
 * A backlog over a lossy network to the sandbox in virtual time: the adaptive RTO compared with a fixed RTO
 * of 2 s. The asserted shares are about 1.3 times the measured ones (2026-11-22).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cost, fixedTiming, runPosts } from './lossy-network.ts';

const POSTS = 300;

async function averageCost(
  seeds: readonly number[],
  lostShare: number,
  inFlight: number,
  fixed: boolean,
): Promise<Cost> {
  const path = { lostShare, delayMs: 50, posts: POSTS, inFlight, ...(fixed && { timing: fixedTiming }) };
  const costs: Cost[] = [];
  for (const seed of seeds) costs.push(await runPosts({ ...path, seed }));
  return {
    tookMs: costs.reduce((sum, { tookMs }) => sum + tookMs, 0),
    datagrams: costs.reduce((sum, { datagrams }) => sum + datagrams, 0),
    failed: costs.flatMap(({ failed }) => failed),
  };
}

/** Delivers a backlog of 300 posts once per seed. */
export function testLossyBacklog(seeds: readonly number[]): void {
  const posts = seeds.length * POSTS;
  test(`${posts.toLocaleString('en')} posts without loss send one datagram each`, async () => {
    const { datagrams, failed } = await averageCost(seeds, 0, 4, false);
    assert.deepEqual([datagrams, failed], [posts, []]);
  });

  for (const inFlight of [1, 4]) {
    test(`at 5 % loss with ${inFlight} in flight, loss costs below a fifth of a fixed RTO`, async () => {
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
    test(`at 30 % loss with ${inFlight} in flight, posts take below ${most} of a fixed RTO`, async () => {
      const fixed = await averageCost(seeds, 0.3, inFlight, true);
      const adaptive = await averageCost(seeds, 0.3, inFlight, false);
      const share = adaptive.tookMs / fixed.tookMs;
      assert.ok(share < most, `${share.toFixed(2)} of the time`);
      assert.ok(adaptive.failed.length <= fixed.failed.length + 6, `${adaptive.failed.length} failed`);
      assert.ok(adaptive.datagrams < 1.2 * fixed.datagrams, `${adaptive.datagrams} datagrams`);
    });
  }
}
