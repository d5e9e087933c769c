/** Several roads as one: each request over one road, a token proven before a road is used, a way back to the better one. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { FailoverTransport } from '../../../src/transport/failover/failover-transport.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { type Answer, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const TOKEN = new Secret('our-token');
const neverAborted = new AbortController().signal;
const BODY = '[{"ts":1,"values":{"a":1}}]';

/** Two roads whose answers can be changed. */
function setup() {
  const answers: { first: Answer; second: Answer } = { first: 'ok', second: 'ok' };
  const [first, second] = [
    new ScriptedTransport(() => answers.first),
    new ScriptedTransport(() => answers.second),
  ];
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const configs = [
    { url: 'coap://tb', isEncrypted: false, open: async () => first },
    { url: 'https://tb', isEncrypted: true, open: async () => second },
  ];
  const transport = new FailoverTransport(configs, { clock, log, random: { uniform: () => 0 } });
  const post = async () => {
    const result = await transport.postTelemetry(TOKEN, BODY, neverAborted);
    return result.ok ? 'ok' : result.failure.reason;
  };
  return { answers, first, second, clock, log, transport: transport, post };
}

const verbs = (transport: ScriptedTransport) => transport.calls.map(({ verb }) => verb);

describe('several roads', () => {
  it('the first is used, and the second is not even asked, as long as the first works', async () => {
    const { post, first, second } = setup();
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry'], []]);
  });

  it('a failure is told, and the next request goes over the second, after it has shown that it knows the token', async () => {
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

  it('a second road that does not know the token gets no reading, and is no reason to provision anew', async () => {
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

  it('a token that neither road takes any more is not ours, whatever both have said before', async () => {
    const { post, answers, transport } = setup();
    await post();
    answers.first = 'port-closed';
    await post();
    assert.equal(await post(), 'ok', 'both roads have taken it');
    answers.first = 'not-ours';
    answers.second = 'not-ours';
    const messages = [await transport.probe(TOKEN, neverAborted), await transport.probe(TOKEN, neverAborted)];
    assert.deepEqual(
      messages.map((result) => (result.ok ? result.value : result.failure.reason)),
      // The first is told by why the better road was left.
      ['port-closed', false],
    );
  });

  it('a caller that would not wait any longer leaves no road', async () => {
    const { post, answers, transport, first, second } = setup();
    answers.first = 'server-timeout';
    await transport.postTelemetry(TOKEN, BODY, AbortSignal.abort());
    answers.first = 'ok';
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry', 'postTelemetry'], []]);
  });

  it('a silent road is left even if no reading has the time to wait for it, as without a right clock', async () => {
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

  it('four requests at once prove the second road once', async () => {
    const { post, answers, second } = setup();
    answers.first = 'port-closed';
    await post();
    assert.deepEqual(await Promise.all([post(), post(), post(), post()]), ['ok', 'ok', 'ok', 'ok']);
    assert.deepEqual(verbs(second), ['probe', ...Array(4).fill('postTelemetry')]);
  });

  it('the better road is asked beside the deliveries when its time has come, and used when it works', async () => {
    const { post, answers, first, clock, log, transport } = setup();
    answers.first = 'port-closed';
    await post();
    await post();
    answers.first = 'ok';
    await post();
    assert.equal(verbs(first).length, 1, 'before its time nothing is asked');
    await clock.advance(60_000);
    await post();
    await clock.advance(0);
    await post();
    assert.deepEqual(verbs(first), ['postTelemetry', 'probe', 'postTelemetry']);
    assert.deepEqual(log.events, ['FL-ENDPOINT-FAILOVER', 'FL-ENDPOINT-RESTORED']);
    await transport[Symbol.asyncDispose]();
  });

  it('an answer of the server itself is passed on and moves nothing', async () => {
    const { post, answers, second } = setup();
    for (const answer of ['server-overloaded', 'request-malformed', 'unauthorized'] as const) {
      answers.first = answer;
      assert.equal(await post(), answer);
    }
    assert.deepEqual(verbs(second), []);
  });

  it('provisioning is asked only where the server has just answered', async () => {
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
