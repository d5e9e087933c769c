/**
 * Responses of a proxy in front of ThingsBoard, or of another CoAP server: none is taken for ThingsBoard's verdict on the
 * token or on a reading. ThingsBoard's own responses are those recorded from CE 4.3.1.3.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Packet } from 'coap-packet';
import type { FailureReason, Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { CoapTransport } from '../../../src/transport/coap/transport.ts';
import {
  ack,
  identifiedAsThingsBoard,
  isIdentification,
  type Script,
  ScriptedPeer,
} from './helpers/scripted-peer.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const BODY = '[{"ts":1,"values":{"a":1}}]';
const timeout = 15_000;
const never = new AbortController().signal;

type Options = NonNullable<Packet['options']>;

/** The results of a post, a probe and a provisioning request. */
async function resultsOf(script: Script) {
  await using peer = await ScriptedPeer.open(script);
  const timing = { retransmitAfterMs: [], noAckTimeoutMs: 10_000, responseTimeoutMs: 10_000 };
  await using transport = new CoapTransport(
    { host: '127.0.0.1', port: peer.port },
    { clock: hostClock(), random: { uniform: () => 0 }, timingOf: () => timing },
  );
  const request = { deviceName: 'gw', key: 'k', secret: new Secret('s'), token: TOKEN };
  return {
    post: await transport.postTelemetry(TOKEN, BODY, never),
    probe: await transport.probe(TOKEN, never),
    provision: await transport.provision(request, async () => {}, never),
  };
}

const reasonOf = (result: Result<unknown>) => (result.ok ? `ok: ${result.value}` : result.failure.reason);
const option = (name: Options[number]['name'], ...value: number[]) => [{ name, value: Buffer.from(value) }];
const respond =
  (code: string, payload = '', options: Options = []): Script =>
  (request, send) =>
    send({ ...ack(request, code, payload), options });

/** Something in front answers every request like this. */
const inFront: readonly [what: string, script: Script, reason: FailureReason][] = [
  ['4.01 to every request', respond('4.01'), 'request-blocked'],
  ['4.01 with a diagnostic text', respond('4.01', 'log in'), 'request-blocked'],
  ['4.01 with an Echo option (RFC 9175)', respond('4.01', '', option(252 as never, 1)), 'request-blocked'],
  ['4.03', respond('4.03'), 'request-blocked'],
  ['4.00 with a diagnostic text', respond('4.00', 'bad option'), 'unexpected-response'],
  ['4.04 without a format', respond('4.04'), 'unexpected-response'],
  ['4.04 with a text', respond('4.04', 'not found', option('Content-Format')), 'unexpected-response'],
  ['2.01 with a payload', respond('2.01', 'created'), 'unexpected-response'],
  ['2.04', respond('2.04'), 'unexpected-response'],
  ['2.05 with a text', respond('2.05', 'hello'), 'unexpected-response'],
  ['4.29, too many requests', respond('4.29', '', option('Max-Age', 30)), 'server-overloaded'],
  ['5.02, bad gateway', respond('5.02'), 'upstream-unavailable'],
  ['5.03', respond('5.03', '', option('Max-Age', 30)), 'upstream-unavailable'],
  ['5.04, gateway timeout', respond('5.04'), 'upstream-unavailable'],
  ['5.05, proxying not supported', respond('5.05'), 'unexpected-response'],
];

describe('a CoAP response of a proxy in front of ThingsBoard', () => {
  for (const [what, script, reason] of inFront) {
    it(`${what} is ${reason} to a post, a probe and provisioning`, { timeout }, async () => {
      const { post, probe, provision } = await resultsOf(script);
      assert.deepEqual([post, probe, provision].map(reasonOf), [reason, reason, reason]);
    });
  }

  it('Max-Age becomes the retry delay of the failure', { timeout }, async () => {
    for (const [value, ms] of [
      [[30], 30_000],
      [[255, 255, 255, 255], 3_600_000],
    ] as const) {
      const { post } = await resultsOf(respond('5.03', '', option('Max-Age', ...value)));
      assert.equal(!post.ok && post.failure.retryAfterMs, ms);
    }
  });

  it('a 4.01 to posts only is not the verdict on a token that ThingsBoard accepts', { timeout }, async () => {
    const { post, probe } = await resultsOf((request, send) => {
      if (request.code === '0.02') return send(ack(request, '4.01'));
      send({ ...ack(request, '4.04'), options: option('Content-Format', 50) });
    });
    assert.deepEqual([post, probe].map(reasonOf), ['request-blocked', 'ok: true']);
  });
});

describe('a CoAP response of ThingsBoard', () => {
  it('its bare 4.01 is its verdict on the token', { timeout }, async () => {
    const { post, probe } = await resultsOf(identifiedAsThingsBoard(respond('4.01')));
    assert.deepEqual([post, probe].map(reasonOf), ['unauthorized', 'ok: false']);
  });

  it('a timeout while the server is identified is a timeout', { timeout }, async () => {
    const { post } = await resultsOf((request, send) => {
      if (isIdentification(request)) send({ ...ack(request, '5.04') });
      else send(ack(request, '4.01'));
    });
    assert.equal(reasonOf(post), 'upstream-unavailable');
  });

  for (const [what, script, reason] of [
    ['bare 4.00', respond('4.00'), 'request-malformed'],
    [
      '4.00 of a profile with protobuf',
      respond('4.00', '', option('Content-Format', 42)),
      'request-malformed',
    ],
    ['bare 5.00', respond('5.00'), 'server-overloaded'],
  ] as const) {
    it(`its ${what} to a post is ${reason}`, { timeout }, async () => {
      assert.equal(reasonOf((await resultsOf(script)).post), reason);
    });
  }
});
