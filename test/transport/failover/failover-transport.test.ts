/**
 * Failover between two scripted endpoints: token verification before use, and the return to the better
 * endpoint.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { coapObstacle, httpObstacle } from '../../../src/core/model/access-token.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { FailoverTransport } from '../../../src/transport/failover/failover-transport.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { type Answer, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const TOKEN = new Secret('our-token');
const neverAborted = new AbortController().signal;
const BODY = '[{"ts":1,"values":{"a":1}}]';

/** Two endpoints with changeable answers. */
function setup() {
  const answers: { first: Answer; second: Answer } = { first: 'ok', second: 'ok' };
  const [first, second] = [
    new ScriptedTransport(() => answers.first),
    new ScriptedTransport(() => answers.second),
  ];
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const configs = [
    { url: 'coap://tb', isEncrypted: false, obstacleOf: coapObstacle, open: async () => first },
    { url: 'https://tb', isEncrypted: true, obstacleOf: httpObstacle, open: async () => second },
  ];
  const transport = new FailoverTransport(configs, { clock, log, random: { uniform: () => 0 } });
  const post = async () => {
    const result = await transport.postTelemetry(TOKEN, BODY, neverAborted);
    return result.ok ? 'ok' : result.failure.reason;
  };
  return { answers, first, second, clock, log, transport, post };
}

const verbs = (transport: ScriptedTransport) => transport.calls.map(({ verb }) => verb);

describe('FailoverTransport', () => {
  it('uses only the first endpoint while it works', async () => {
    const { post, first, second } = setup();
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry'], []]);
  });

  it('returns a failure, then verifies the token at the second endpoint and uses it', async () => {
    const { post, answers, second, first, log } = setup();
    assert.equal(await post(), 'ok');
    answers.first = 'port-closed';
    assert.equal(await post(), 'port-closed');
    assert.deepEqual(verbs(second), []);
    assert.equal(await post(), 'ok');
    assert.deepEqual(verbs(second), ['probe', 'postTelemetry']);
    assert.deepEqual(verbs(first), ['postTelemetry', 'postTelemetry']);
    assert.deepEqual(log.events, ['FL-ENDPOINT-FAILOVER']);
  });

  it('sends no reading to an endpoint that does not know the token', async () => {
    const { post, answers, second } = setup();
    await post();
    answers.first = 'port-closed';
    answers.second = 'not-ours';
    await post();
    assert.notEqual(await post(), 'unauthorized');
    answers.first = 'ok';
    assert.equal(await post(), 'ok');
    assert.deepEqual(verbs(second), ['probe']);
  });

  it('reports a revoked token if no endpoint accepts it any more', async () => {
    const { post, answers, transport } = setup();
    await post();
    answers.first = 'port-closed';
    await post();
    assert.equal(await post(), 'ok', 'both endpoints have accepted it');
    answers.first = 'not-ours';
    answers.second = 'not-ours';
    const results = [await transport.probe(TOKEN, neverAborted), await transport.probe(TOKEN, neverAborted)];
    assert.deepEqual(
      results.map((result) => (result.ok ? result.value : result.failure.reason)),
      // The first result has the reason of the failover.
      ['port-closed', false],
    );
  });

  it('keeps the endpoint when a caller aborts', async () => {
    const { post, answers, transport, first, second } = setup();
    answers.first = 'server-timeout';
    await transport.postTelemetry(TOKEN, BODY, AbortSignal.abort());
    answers.first = 'ok';
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry', 'postTelemetry'], []]);
  });

  it('leaves an endpoint that times out even if every caller has a short deadline', async () => {
    const { post, answers, transport, clock, first, second } = setup();
    await post();
    answers.first = 'never';
    for (let shortTimeouts = 0; shortTimeouts < 2; shortTimeouts += 1) {
      const timeouts = new AbortController();
      const calls = transport.postTelemetry(TOKEN, '[{"a":1}]', timeouts.signal);
      await clock.advance(10_000);
      timeouts.abort(DEADLINE);
      await calls;
    }
    assert.deepEqual(verbs(first), ['postTelemetry', 'postTelemetry', 'probe', 'postTelemetry']);
    await clock.advance(10_000);
    assert.equal(await post(), 'ok');
    assert.deepEqual(verbs(second), ['probe', 'postTelemetry']);
  });

  it('verifies the second endpoint once for four concurrent requests', async () => {
    const { post, answers, second } = setup();
    answers.first = 'port-closed';
    await post();
    assert.deepEqual(await Promise.all([post(), post(), post(), post()]), ['ok', 'ok', 'ok', 'ok']);
    assert.deepEqual(verbs(second), ['probe', ...Array(4).fill('postTelemetry')]);
  });

  it('probes the better endpoint in the background and returns to it', async () => {
    const { post, answers, first, clock, log, transport } = setup();
    answers.first = 'port-closed';
    await post();
    await post();
    answers.first = 'ok';
    await post();
    assert.equal(verbs(first).length, 1, 'no probe before the retry delay has passed');
    await clock.advance(60_000);
    await post();
    await clock.advance(0);
    await post();
    assert.deepEqual(verbs(first), ['postTelemetry', 'probe', 'postTelemetry']);
    assert.deepEqual(log.events, ['FL-ENDPOINT-FAILOVER', 'FL-ENDPOINT-RESTORED']);
    await transport[Symbol.asyncDispose]();
  });

  it('keeps the endpoint after a failure of the server itself', async () => {
    const { post, answers, second } = setup();
    for (const answer of ['server-overloaded', 'request-malformed', 'unauthorized'] as const) {
      answers.first = answer;
      assert.equal(await post(), answer);
    }
    assert.deepEqual(verbs(second), []);
  });

  it('sends a provisioning request only after the endpoint answered a probe', async () => {
    const { answers, first, second, transport } = setup();
    answers.first = 'server-timeout';
    const request = { deviceName: 'gw', key: 'k', secret: new Secret('s'), token: TOKEN };
    const lost = await transport.provision(request, async () => {}, neverAborted);
    assert.equal(lost.ok, false);
    assert.deepEqual(verbs(first), ['probe']);
    assert.equal((await transport.provision(request, async () => {}, neverAborted)).ok, true);
    assert.deepEqual(verbs(second), ['probe', 'provision']);
  });
});
