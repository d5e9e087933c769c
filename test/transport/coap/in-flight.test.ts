/** Four requests at once over one socket, on real UDP: each its own answer, and none asked twice needlessly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { hostClock } from '../../../src/host/clock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { Dice } from '../../simulation/dice.ts';
import { ack, answer, emptyAck, ScriptedPeer } from './scripted-peer.ts';

const IN_FLIGHT = 4;
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const never = new AbortController().signal;
const ports = () => ({ clock: hostClock(), chance: { random: () => 0 } });

/** The code the peer of the next test answers a body with. */
const CODES = ['2.01', '4.00', '4.01', '5.00'] as const;
const VERDICTS = ['accepted', 'malformed', 'unauthorized', 'overloaded'] as const;

test('four posts at once each get their own answer, though answers come reordered, doubled and late', {
  timeout: 30_000,
}, async () => {
  const dice = new Dice(7);
  const shuffled = (sends: (() => void)[]) =>
    sends
      .map((send) => ({ send, at: dice.random() }))
      .sort((one, other) => one.at - other.at)
      .map(({ send }) => send);
  let round: (() => void)[] = [];
  let late: (() => void)[] = [];
  let requests = 0;
  await using peer = await ScriptedPeer.open((request, send) => {
    const code = CODES[Number(request.payload.toString().slice(1, -1)) % CODES.length] ?? '5.00';
    const separate = { ...answer(request, code), confirmable: true };
    const once = dice.happens(0.5) ? () => send(separate) : () => send(ack(request, code));
    round.push(once, once, () => send(emptyAck(request)));
    late.push(once);
    requests += 1;
    if (requests % IN_FLIGHT !== 0) return;
    for (const release of shuffled(round)) release();
    round = late;
    late = [];
  });
  await using road = new CoapTransport({ host: '127.0.0.1', port: peer.port }, ports());
  for (let first = 0; first < 200; first += IN_FLIGHT) {
    const numbers = Array.from({ length: IN_FLIGHT }, (_, offset) => first + offset + dice.integer(0, 3));
    const results = await Promise.all(
      numbers.map((number) => road.postTelemetry(TOKEN, `[${number}]`, never)),
    );
    assert.deepEqual(
      results.map((result) => (result.ok ? 'accepted' : result.refusal.reason)),
      numbers.map((number) => VERDICTS[number % VERDICTS.length]),
    );
  }
  assert.equal(requests, 200);
});

async function sandboxWithDevice(knobs: Parameters<typeof openSandbox>[0]['knobs']) {
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' }, knobs: knobs ?? {} });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN.reveal() });
  return sandbox;
}

/** Posts points 1 to `count`, `IN_FLIGHT` at once; returns the refusals. */
async function postAll(road: CoapTransport, count: number): Promise<string[]> {
  const refused: string[] = [];
  let next = 1;
  const postOneByOne = async () => {
    while (next <= count) {
      const ts = next;
      next += 1;
      const result = await road.postTelemetry(TOKEN, `[{"ts":${ts},"values":{"n":${ts}}}]`, never);
      if (!result.ok) refused.push(result.refusal.reason);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, postOneByOne));
  return refused;
}

test('with the usual 20 to 50 ms at the server, 400 posts are not repeated needlessly', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await sandboxWithDevice({});
  await using road = new CoapTransport({ host: '127.0.0.1', port: sandbox.coapPort }, ports());
  assert.deepEqual(await postAll(road, 400), []);
  assert.equal(sandbox.points().length, 400);
  // One in a hundred is for a machine so busy that 200 ms pass between two turns of the event loop.
  const needless = sandbox.duplicates().datagrams.length;
  assert.ok(needless <= 4, `${needless} needless repetitions`);
});

test('over a road that loses, doubles and reorders, every post arrives once and every reply finds its request', {
  timeout: 60_000,
}, async () => {
  const knobs = { lossIn: 0.1, lossOut: 0.1, duplicateIn: 0.2, duplicateOut: 0.2, reorderOut: 0.3, seed: 3 };
  await using sandbox = await sandboxWithDevice(knobs);
  await using road = new CoapTransport({ host: '127.0.0.1', port: sandbox.coapPort }, ports());
  assert.deepEqual(await postAll(road, 200), []);
  assert.equal(sandbox.points().length, 200);
  assert.deepEqual(sandbox.duplicates().points, []);
});
