/** Four concurrent posts to the sandbox: no needless retransmission, each point stored once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';

export const IN_FLIGHT = 4;
export const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
export const neverAborted = new AbortController().signal;
export const ports = () => ({ clock: hostClock(), random: { uniform: () => 0 } });

async function sandboxWithDevice(knobs: Parameters<typeof openSandbox>[0]['knobs']) {
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' }, knobs: knobs ?? {} });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN.reveal() });
  return sandbox;
}

/** Posts points 1 to `count`, `IN_FLIGHT` at once; returns the timestamps of failed posts. */
async function postAll(transport: CoapTransport, count: number): Promise<number[]> {
  const failed: number[] = [];
  let next = 1;
  const postOneByOne = async () => {
    while (next <= count) {
      const ts = next;
      next += 1;
      const result = await transport.postTelemetry(
        TOKEN,
        `[{"ts":${ts},"values":{"n":${ts}}}]`,
        neverAborted,
      );
      if (!result.ok) failed.push(ts);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, postOneByOne));
  return failed;
}

/** 2 × `posts` over a good network, `posts` over a bad one. */
export function testInFlight(posts: number): void {
  test(`${2 * posts} posts to a server that takes 20 to 50 ms are not retransmitted`, {
    timeout: 60_000,
  }, async () => {
    await using sandbox = await sandboxWithDevice({});
    await using transport = new CoapTransport({ host: '127.0.0.1', port: sandbox.coapPort }, ports());
    assert.deepEqual(await postAll(transport, 2 * posts), []);
    assert.equal(sandbox.points().length, 2 * posts);
    // Allows a few, for a machine so busy that its event loop stalls for 200 ms.
    const needless = sandbox.duplicates().datagrams.length;
    assert.ok(needless <= IN_FLIGHT, `${needless} needless retransmissions`);
  });

  test('every post arrives once with loss, duplication and reordering', {
    timeout: 60_000,
  }, async () => {
    const knobs = {
      lossIn: 0.1,
      lossOut: 0.1,
      duplicateIn: 0.2,
      duplicateOut: 0.2,
      reorderOut: 0.3,
      seed: 3,
    };
    await using sandbox = await sandboxWithDevice(knobs);
    await using transport = new CoapTransport({ host: '127.0.0.1', port: sandbox.coapPort }, ports());
    const failed = await postAll(transport, posts);
    // After an acknowledgement, the response and its two retransmissions are lost for one post in 10,000.
    assert.ok(failed.length <= 2, `failed: ${failed}`);
    assert.equal(sandbox.points().length, posts);
    assert.deepEqual(sandbox.duplicates().points, []);
  });
}
