/** The downlink over two scripted endpoints: at the one in use, and only after it has accepted the token. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { FailoverTransport } from '../../../src/transport/failover/failover-transport.ts';
import { RecordingListener } from '../../doubles/recording-listener.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { type Answer, ScriptedTransport } from '../../doubles/scripted-transport.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const TOKEN = new Secret('our-token');
const never = new AbortController().signal;
const reasonOf = (result: Result<unknown>) => (result.ok ? 'ok' : result.failure.reason);

function setup() {
  const answers: { first: Answer; second: Answer } = { first: 'ok', second: 'ok' };
  const first = new ScriptedTransport(() => answers.first);
  const second = new ScriptedTransport(() => answers.second);
  const clock = new VirtualClock();
  const configs = [
    { url: 'coap://tb', isEncrypted: false, open: async () => first },
    { url: 'https://tb', isEncrypted: true, open: async () => second },
  ];
  const transport = new FailoverTransport(configs, {
    clock,
    log: new RecordingLogger(),
    random: { uniform: () => 0 },
  });
  const heard = new RecordingListener();
  const listen = (signal: AbortSignal = never) =>
    transport.listen(TOKEN, { attributes: true, commands: true }, heard, signal);
  const post = () => transport.postTelemetry(TOKEN, '[{"ts":1,"values":{"a":1}}]', never);
  return { answers, first, second, clock, transport, heard, listen, post };
}

const verbs = (transport: ScriptedTransport) => transport.calls.map(({ verb }) => verb);

describe('FailoverTransport as a downlink', () => {
  it('listens without a further check at an endpoint that has accepted telemetry', async () => {
    const { first, second, heard, listen, post } = setup();
    await post();
    void listen();
    await heard.until(({ registrations }) => registrations > 0);
    assert.deepEqual(verbs(first), ['postTelemetry']);
    assert.deepEqual([first.downlink.isObserved, second.downlink.isObserved], [true, false]);
  });

  it('asks an endpoint first that has not accepted the token', async () => {
    const { answers, first, heard, listen } = setup();
    answers.first = 'not-ours';
    assert.equal(reasonOf(await listen()), 'unauthorized');
    assert.deepEqual(first.downlink.listens, []);
    answers.first = 'ok';
    void listen();
    await heard.until(({ registrations }) => registrations > 0);
    assert.deepEqual(verbs(first), ['probe', 'probe']);
  });

  it('ends when another endpoint comes into use, and listens there', async () => {
    const { answers, first, second, heard, listen, post } = setup();
    await post();
    const listening = listen();
    await heard.until(({ registrations }) => registrations > 0);
    answers.first = 'port-closed';
    await post();
    assert.equal(first.downlink.isObserved, true, 'the next endpoint has not accepted the token yet');
    await post();
    assert.deepEqual(await listening, { ok: true, value: undefined });
    assert.equal(first.downlink.isObserved, false);
    void listen();
    await heard.until(({ registrations }) => registrations > 1);
    assert.equal(second.downlink.isObserved, true);
    second.downlink.sendCommand('ping');
    assert.equal(heard.commands.length, 1);
  });

  it('ends when the better endpoint is used again', async () => {
    const { answers, first, second, clock, heard, listen, post } = setup();
    answers.first = 'port-closed';
    await post();
    await post();
    const listening = listen();
    await heard.until(({ registrations }) => registrations > 0);
    assert.equal(second.downlink.isObserved, true);
    answers.first = 'ok';
    await clock.advance(60_000);
    await post();
    await clock.advance(0);
    assert.equal(reasonOf(await listening), 'ok');
    void listen();
    await heard.until(({ registrations }) => registrations > 1);
    assert.equal(first.downlink.isObserved, true);
  });

  it('never listens at an endpoint that does not accept the token', async () => {
    const { answers, second, listen, post } = setup();
    await post();
    answers.first = 'port-closed';
    answers.second = 'not-ours';
    await post();
    assert.equal(reasonOf(await listen()), 'port-closed');
    assert.deepEqual(second.downlink.listens, []);
  });

  it('keeps the endpoint when listening fails', async () => {
    const { first, second, heard, transport, listen, post } = setup();
    await post();
    const listening = listen();
    await heard.until(({ registrations }) => registrations > 0);
    first.downlink.end('server-timeout');
    assert.equal(reasonOf(await listening), 'server-timeout');
    assert.equal(transport.currentEndpoint, 0);
    await post();
    assert.deepEqual(verbs(second), []);
  });

  it('ends with aborted when the caller aborts', async () => {
    const { heard, listen, post } = setup();
    await post();
    const stop = new AbortController();
    const listening = listen(stop.signal);
    await heard.until(({ registrations }) => registrations > 0);
    stop.abort();
    assert.equal(reasonOf(await listening), 'aborted');
  });

  it('replies at the endpoint in use, without the deadline of telemetry', async () => {
    const { answers, first, second, transport, post } = setup();
    await post();
    assert.equal(reasonOf(await transport.reply(TOKEN, 1, '{}', never)), 'ok');
    answers.first = 'port-closed';
    await post();
    await post();
    assert.equal(reasonOf(await transport.reply(TOKEN, 2, '{}', never)), 'ok');
    assert.deepEqual(
      [first, second].map(({ downlink }) => downlink.replies.map(({ commandId }) => commandId)),
      [[1], [2]],
    );
    second.downlink.replyFailure = 'server-timeout';
    assert.equal(reasonOf(await transport.reply(TOKEN, 3, '{}', never)), 'server-timeout');
    assert.equal(transport.currentEndpoint, 1);
  });
});
