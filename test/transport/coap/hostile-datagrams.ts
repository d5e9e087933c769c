/**
 * Hostile datagrams from a seed. Noise is distinguishable from a response (malformed header, wrong token,
 * message ID or address, oversized, empty, impossible code): every post must still get its own result. A
 * forgery has the right token and address: the post may accept it, because UDP is not authenticated, but must
 * end normally. The library alone crashes on some of both.
 */

import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { generate, type ParsedPacket } from 'coap-packet';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { answer, patterns, ScriptedPeer } from './helpers/scripted-peer.ts';

const PER_POST = 50;
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';

/** splitmix32: neighbouring seeds give unlike sequences. */
function createDice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % below;
  };
}

type Make = (request: ParsedPacket, roll: (below: number) => number) => Buffer;

function genuineResponse(request: ParsedPacket): Buffer {
  return generate({ ...answer(request, '2.01'), confirmable: true });
}

const uniform = (roll: (below: number) => number, length: number) =>
  Buffer.from(Array.from({ length }, () => roll(256)));

const noise: Readonly<Record<string, Make>> = {
  garbage: (_request, roll) => uniform(roll, roll(60)),
  giant: (_request, roll) =>
    Buffer.concat([Buffer.from([0x58, 0x41, 0, roll(256)]), Buffer.alloc(2_049 + roll(20_000), 0x61)]),
  truncated: (request, roll) => genuineResponse(request).subarray(0, roll(11)),
  foreignToken: (request, roll) => generate({ ...answer({ ...request, token: uniform(roll, 8) }, '2.01') }),
  noToken: (request) =>
    generate({ ...answer({ ...request, token: Buffer.alloc(0) }, '2.01'), confirmable: true }),
  acknowledgementOfAnother: (request, roll) =>
    generate({
      ...answer(request, '2.01'),
      ack: true,
      messageId: (request.messageId + 1 + roll(100)) & 0xffff,
    }),
  impossibleCode: (request, roll) => {
    const bytes = genuineResponse(request);
    bytes[1] = [0x01, 0x1f, 0x20, 0x60, 0xc0, 0xff][roll(6)] ?? 0xff;
    return bytes;
  },
  version: (request, roll) => {
    const bytes = genuineResponse(request);
    bytes[0] = ([0x08, 0x88, 0xc8][roll(3)] ?? 0x08) | 0;
    return bytes;
  },
  unknownCriticalOption: (request) =>
    generate({ ...answer(request, '2.01'), options: [{ name: 9 as never, value: Buffer.from('x') }] }),
  ping: (_request, roll) => Buffer.from([0x40, 0, roll(256), roll(256)]),
  resetOfAnother: (request, roll) =>
    generate({ code: '0.00', reset: true, messageId: (request.messageId + 1 + roll(1_000)) & 0xffff }),
};

const block1 = (request: ParsedPacket, value: Buffer): Buffer =>
  generate({
    ...answer(request, '2.31'),
    ack: true,
    messageId: request.messageId,
    options: [{ name: 'Block1', value }],
  });

const forgery: Readonly<Record<string, Make>> = {
  emptyBlock1: (request) => block1(request, Buffer.alloc(0)),
  longBlock1: (request, roll) => block1(request, uniform(roll, 4 + roll(4))),
  block2: (request, roll) =>
    generate({ ...answer(request, '2.05'), options: [{ name: 'Block2', value: uniform(roll, roll(4)) }] }),
  observe: (request, roll) =>
    generate({ ...answer(request, '2.05'), options: [{ name: 'Observe', value: uniform(roll, roll(4)) }] }),
  mutated: (request, roll) => {
    const bytes = genuineResponse(request);
    for (let flips = 1 + roll(4); flips > 0; flips -= 1) bytes[roll(bytes.length)] = roll(256);
    return bytes;
  },
};

async function postAmongForgeries(
  posts: number,
  makes: readonly Make[],
  expectAccepted: boolean,
  seed: number,
): Promise<number> {
  const roll = createDice(seed);
  const foreigner = createSocket('udp4').bind(0, '127.0.0.1');
  await once(foreigner, 'listening');
  let sent = 0;
  await using peer = await ScriptedPeer.open((request, send, from: RemoteInfo) => {
    const volley = Array.from({ length: PER_POST - 1 }, () =>
      (makes[roll(makes.length)] as Make)(request, roll),
    );
    for (const bytes of volley) send(bytes);
    const first = volley[0];
    if (first) send(first); // a reordered duplicate
    foreigner.send(genuineResponse(request), from.port, from.address);
    send(genuineResponse(request));
    sent += PER_POST + 1;
  });
  const timing = { retransmitAfterMs: [200, 400], noAckTimeoutMs: 1_500, responseTimeoutMs: 500 };
  const ports = { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing };
  await using transport = new CoapTransport({ host: '127.0.0.1', port: peer.port }, ports);
  const { signal } = new AbortController();
  for (let post = 0; post < posts; post += 1) {
    const result = await transport.postTelemetry(TOKEN, BODY, signal);
    if (expectAccepted)
      assert.deepEqual(result, { ok: true, value: undefined }, `post ${post}, seed ${seed}`);
  }
  peer.script = patterns.confirmableWithoutAck('2.01');
  assert.equal(
    (await transport.postTelemetry(TOKEN, BODY, signal)).ok,
    true,
    `the post after the hostile datagrams, seed ${seed}`,
  );
  foreigner.close();
  return sent;
}

/** Sends PER_POST datagrams per post, once only noise and once with forgeries. */
export function testHostileDatagrams(posts: number): void {
  const datagrams = posts * PER_POST;
  const many = datagrams.toLocaleString('en');
  test(`${many} datagrams of noise do not change the result of any post`, { timeout: 100_000 }, async () => {
    assert.ok((await postAmongForgeries(posts, Object.values(noise), true, 1)) >= datagrams);
  });

  test(`${many} datagrams with forgeries do not end the process or the next post`, {
    timeout: 100_000,
  }, async () => {
    const makes = [...Object.values(forgery), ...Object.values(noise)];
    assert.ok((await postAmongForgeries(posts, makes, false, 2)) >= datagrams);
  });
}
