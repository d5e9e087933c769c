/** Several roads as one: each request over one road, a token proven before a road is used, a way back to the better one. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEADLINE } from '../../../src/core/async/abort.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { Roads } from '../../../src/transport/failover/failover-transport.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { type Answer, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const TOKEN = new Secret('our-token');
const never = new AbortController().signal;
const BODY = '[{"ts":1,"values":{"a":1}}]';

/** Two roads whose answers can be changed. */
function stage() {
  const answers: { first: Answer; second: Answer } = { first: 'ok', second: 'ok' };
  const [first, second] = [
    new ScriptedTransport(() => answers.first),
    new ScriptedTransport(() => answers.second),
  ];
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const ways = [
    { url: 'coap://tb', isEncrypted: false, open: async () => first },
    { url: 'https://tb', isEncrypted: true, open: async () => second },
  ];
  const roads = new Roads(ways, { clock, log, chance: { random: () => 0 } });
  const post = async () => {
    const result = await roads.postTelemetry(TOKEN, BODY, never);
    return result.ok ? 'ok' : result.refusal.reason;
  };
  return { answers, first, second, clock, log, roads, post };
}

const verbs = (transport: ScriptedTransport) => transport.calls.map(({ verb }) => verb);

describe('several roads', () => {
  it('the first is used, and the second is not even asked, as long as the first works', async () => {
    const { post, first, second } = stage();
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry'], []]);
  });

  it('a failure is told, and the next request goes over the second, after it has shown that it knows the token', async () => {
    const { post, answers, second, first, log } = stage();
    assert.equal(await post(), 'ok');
    answers.first = 'port-closed';
    assert.equal(await post(), 'port-closed');
    assert.deepEqual(verbs(second), []);
    assert.equal(await post(), 'ok');
    assert.deepEqual(verbs(second), ['probe', 'postTelemetry']);
    assert.deepEqual(verbs(first), ['postTelemetry', 'postTelemetry']);
    assert.deepEqual(log.events, ['FL-ROAD-LEFT']);
  });

  it('a second road that does not know the token gets no reading, and is no reason to provision anew', async () => {
    const { post, answers, second } = stage();
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
    const { post, answers, roads } = stage();
    await post();
    answers.first = 'port-closed';
    await post();
    assert.equal(await post(), 'ok', 'both roads have taken it');
    answers.first = 'not-ours';
    answers.second = 'not-ours';
    const said = [await roads.probe(TOKEN, never), await roads.probe(TOKEN, never)];
    assert.deepEqual(
      said.map((result) => (result.ok ? result.value : result.refusal.reason)),
      // The first is told by why the better road was left.
      ['port-closed', false],
    );
  });

  it('a caller that would not wait any longer leaves no road', async () => {
    const { post, answers, roads, first, second } = stage();
    answers.first = 'silent';
    await roads.postTelemetry(TOKEN, BODY, AbortSignal.abort());
    answers.first = 'ok';
    assert.equal(await post(), 'ok');
    assert.deepEqual([verbs(first), verbs(second)], [['postTelemetry', 'postTelemetry'], []]);
  });

  it('a silent road is left even if no reading has the time to wait for it, as without a right clock', async () => {
    const { post, answers, roads, clock, first, second } = stage();
    await post();
    answers.first = 'never';
    for (let hurried = 0; hurried < 2; hurried += 1) {
      const patience = new AbortController();
      const asked = roads.postTelemetry(TOKEN, '[{"a":1}]', patience.signal);
      await clock.advance(10_000);
      patience.abort(DEADLINE);
      await asked;
    }
    assert.deepEqual(verbs(first), ['postTelemetry', 'postTelemetry', 'probe', 'postTelemetry']);
    await clock.advance(10_000);
    assert.equal(await post(), 'ok');
    assert.deepEqual(verbs(second), ['probe', 'postTelemetry']);
  });

  it('four requests at once prove the second road once', async () => {
    const { post, answers, second } = stage();
    answers.first = 'port-closed';
    await post();
    assert.deepEqual(await Promise.all([post(), post(), post(), post()]), ['ok', 'ok', 'ok', 'ok']);
    assert.deepEqual(verbs(second), ['probe', ...Array(4).fill('postTelemetry')]);
  });

  it('the better road is asked beside the deliveries when its time has come, and used when it works', async () => {
    const { post, answers, first, clock, log, roads } = stage();
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
    assert.deepEqual(log.events, ['FL-ROAD-LEFT', 'FL-ROAD-BACK']);
    await roads[Symbol.asyncDispose]();
  });

  it('an answer of the server itself is passed on and moves nothing', async () => {
    const { post, answers, second } = stage();
    for (const answer of ['overloaded', 'malformed', 'unauthorized'] as const) {
      answers.first = answer;
      assert.equal(await post(), answer);
    }
    assert.deepEqual(verbs(second), []);
  });

  it('provisioning is asked only where the server has just answered', async () => {
    const { answers, first, second, roads } = stage();
    answers.first = 'silent';
    const request = { deviceName: 'gw', key: 'k', secret: new Secret('s'), token: TOKEN };
    const lost = await roads.provision(request, async () => {}, never);
    assert.equal(lost.ok, false);
    assert.deepEqual(verbs(first), ['probe']);
    assert.equal((await roads.provision(request, async () => {}, never)).ok, true);
    assert.deepEqual(verbs(second), ['probe', 'provision']);
  });
});
