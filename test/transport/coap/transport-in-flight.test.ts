/** Four concurrent requests over one socket on real UDP: 20 posts per network; the slow test has more. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { ack, answer, emptyAck, ScriptedPeer } from './helpers/scripted-peer.ts';
import { IN_FLIGHT, neverAborted, ports, TOKEN, testInFlight } from './in-flight.ts';

/** The response codes of the peer, by the number in the body. */
const CODES = ['2.01', '4.00', '4.03', '5.00'] as const;
const OUTCOMES = ['accepted', 'request-malformed', 'request-blocked', 'server-overloaded'] as const;

test('four concurrent posts get their own response despite disorder', {
  timeout: 30_000,
}, async () => {
  const random = new SeededRandom(7);
  const shuffled = (sends: (() => void)[]) =>
    sends
      .map((send) => ({ send, at: random.random() }))
      .sort((one, other) => one.at - other.at)
      .map(({ send }) => send);
  let round: (() => void)[] = [];
  let late: (() => void)[] = [];
  let requests = 0;
  await using peer = await ScriptedPeer.open((request, send) => {
    const code = CODES[Number(request.payload.toString().slice(1, -1)) % CODES.length] ?? '5.00';
    const separate = { ...answer(request, code), confirmable: true };
    const once = random.isTrue(0.5) ? () => send(separate) : () => send(ack(request, code));
    round.push(once, once, () => send(emptyAck(request)));
    late.push(once);
    requests += 1;
    if (requests % IN_FLIGHT !== 0) return;
    for (const release of shuffled(round)) release();
    round = late;
    late = [];
  });
  await using transport = new CoapTransport({ host: '127.0.0.1', port: peer.port }, ports());
  for (let first = 0; first < 200; first += IN_FLIGHT) {
    const numbers = Array.from({ length: IN_FLIGHT }, (_, offset) => first + offset + random.integer(0, 3));
    const results = await Promise.all(
      numbers.map((number) => transport.postTelemetry(TOKEN, `[${number}]`, neverAborted)),
    );
    assert.deepEqual(
      results.map((result) => (result.ok ? 'accepted' : result.failure.reason)),
      numbers.map((number) => OUTCOMES[number % OUTCOMES.length]),
    );
  }
  assert.equal(requests, 200);
});

testInFlight(20);
