/** Observations datagram by datagram, on real UDP (contract sections 5 and 6). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ParsedPacket } from 'coap-packet';
import { NO_RENEWAL, ObservePeer, repeatUntil, shiftedClock, TOKEN, uint } from '../helpers/observe-peer.ts';
import { ack, answer, emptyAck, type Script } from '../helpers/scripted-peer.ts';

const timeout = 20_000;
const OBSERVED = [{ name: 'Observe' as const, value: uint(0) }];
const tokenOf = ({ token }: ParsedPacket) => token.toString('hex');

async function endOf(peer: ObservePeer): Promise<string> {
  const end = await peer.end;
  return end.ok ? 'ok' : end.failure.reason;
}

describe('the first response of an observation', { concurrency: true }, () => {
  const FORMS: Readonly<Record<string, (request: ParsedPacket, send: Parameters<Script>[1]) => void>> = {
    'on the acknowledgement': (request, send) =>
      send({ ...ack(request, '2.05', '{"a":1}'), options: OBSERVED }),
    'confirmable, without an acknowledgement': (request, send) =>
      send({ ...answer(request, '2.05', '{"a":1}'), confirmable: true, options: OBSERVED }),
    'confirmable, after an acknowledgement': (request, send) => {
      send(emptyAck(request));
      send({ ...answer(request, '2.05', '{"a":1}'), confirmable: true, options: OBSERVED });
    },
    'confirmable, before an acknowledgement': (request, send) => {
      send({ ...answer(request, '2.05', '{"a":1}'), confirmable: true, options: OBSERVED });
      send(emptyAck(request));
    },
    'non-confirmable': (request, send) => send({ ...answer(request, '2.05', '{"a":1}'), options: OBSERVED }),
  };
  for (const [form, respond] of Object.entries(FORMS)) {
    it(`is accepted ${form}`, { timeout }, async () => {
      await using peer = await ObservePeer.open({ commands: false });
      peer.onRegistration = (_resource, request, send) => {
        respond(request, send);
        return true;
      };
      await peer.heard.until(({ registrations }) => registrations > 0);
      assert.deepEqual(peer.heard.updates, [{ is: 'all', values: { a: 1 } }]);
    });
  }

  it('of commands is an empty 2.03, and is acknowledged', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    await peer.peer.packet(({ code, ack: isAck }) => code === '0.00' && isAck);
    assert.deepEqual(peer.heard.commands, []);
  });

  for (const [code, reason] of [
    ['4.01', 'unauthorized'],
    ['4.04', 'unexpected-response'],
    ['5.00', 'server-overloaded'],
  ] as const) {
    it(`${code} ends listen with ${reason}`, { timeout }, async () => {
      await using peer = await ObservePeer.open();
      peer.onRegistration = (_resource, request, send) => {
        send(ack(request, code));
        return true;
      };
      assert.equal(await endOf(peer), reason);
    });
  }

  it('without Observe is no registration', { timeout }, async () => {
    await using peer = await ObservePeer.open();
    peer.onRegistration = (_resource, request, send) => {
      send(ack(request, '2.05', '{}'));
      return true;
    };
    assert.equal(await endOf(peer), 'server-overloaded');
    assert.equal(peer.heard.registrations, 0);
  });

  it('that is not a JSON object ends listen', { timeout }, async () => {
    await using peer = await ObservePeer.open();
    peer.attributes = '[1]';
    assert.equal(await endOf(peer), 'unexpected-response');
  });
});

describe('a notification', { concurrency: true }, () => {
  it('of changes and of commands is delivered and acknowledged', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    await peer.until(peer.notify('attributes', 1, '{"a":1,"b":null}'));
    await peer.until(peer.notify('attributes', 2, '{"deleted":["a"]}'));
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"ping","params":null}'));
    assert.deepEqual(peer.heard.updates.slice(1), [
      { is: 'changed', values: { a: 1, b: null } },
      { is: 'deleted', keys: ['a'] },
    ]);
    assert.deepEqual(peer.heard.commands, [{ id: 0, method: 'ping', params: null }]);
  });

  it('that is not confirmable is delivered', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    peer.notify('rpc', 1, '{"id":0,"method":"ping"}', { confirmable: false });
    await peer.heard.until(({ commands }) => commands.length > 0);
  });

  it('that is repeated is acknowledged again and delivered once', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    const messageId = peer.notify('rpc', 1, '{"id":0,"method":"ping"}');
    for (let repeated = 1; repeated < 4; repeated += 1)
      peer.notify('rpc', 1, '{"id":0,"method":"ping"}', { messageId });
    await peer.until(messageId, 'ack', 4);
    assert.equal(peer.heard.commands.length, 1);
  });

  it('with a message ID that was used before is delivered', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    const messageId = peer.notify('rpc', 1, '{"id":0,"method":"ping"}');
    peer.notify('rpc', 2, '{"id":1,"method":"ping"}', { messageId });
    await peer.until(messageId, 'ack', 2);
    assert.deepEqual(
      peer.heard.commands.map(({ id }) => id),
      [0, 1],
    );
  });

  it('after a gap causes one registration with the same token', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    peer.attributes = '{"a":2,"missed":true}';
    await peer.until(peer.notify('attributes', 3, '{"a":2}'));
    const { request } = await peer.registered('attributes', 2);
    const [first] = peer.registrations.attributes;
    assert.equal(tokenOf(request), first && tokenOf(first.request));
    await peer.heard.until(({ attributes: { missed } }) => missed === true);
    await peer.until(peer.notify('attributes', 1, '{"b":1}'));
    assert.equal(peer.registrations.attributes.length, 2);
    assert.equal(peer.registrations.rpc.length, 1);
    assert.deepEqual({ ...peer.heard.attributes }, { a: 2, missed: true, b: 1 });
  });

  it('that overtook another: an old state is ignored, an old command is not', { timeout }, async () => {
    const renewals = { ...NO_RENEWAL, pauseMs: 3_600_000 };
    await using peer = await ObservePeer.observed({}, { renewals });
    await peer.until(peer.notify('attributes', 2, '{"a":"new"}'));
    await peer.until(peer.notify('attributes', 1, '{"a":"old"}'));
    assert.equal(peer.heard.attributes['a'], 'new');
    await peer.until(peer.notify('rpc', 2, '{"id":1,"method":"second"}'));
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"first"}'));
    assert.deepEqual(
      peer.heard.commands.map(({ method }) => method),
      ['second', 'first'],
    );
  });

  it('of a state is not acknowledged while a registration is in flight', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    let respond = () => {};
    peer.onRegistration = (_resource, request, send) => {
      respond = () => send({ ...ack(request, '2.05', '{"all":true}'), options: OBSERVED });
      return true;
    };
    await peer.until(peer.notify('attributes', 9, '{"a":1}'));
    await peer.registered('attributes', 2);
    const messageId = peer.notify('attributes', 1, '{"b":1}');
    // A later message that is handled proves that the one before was not.
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"ping"}'));
    assert.equal(peer.empty(messageId), 0);
    respond();
    await peer.heard.until(({ attributes: { all } }) => all === true);
    peer.notify('attributes', 1, '{"b":1}', { messageId });
    await peer.until(messageId);
    assert.deepEqual({ ...peer.heard.attributes }, { all: true, b: 1 });
  });

  it('that cannot be used is acknowledged; of a state, all is read again', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    for (const [at, body] of ['', 'x', '[]', '{"id":"0","method":"x"}', '{"id":0}', '{"id":1e99}'].entries())
      await peer.until(peer.notify('rpc', at + 1, body));
    assert.deepEqual(peer.heard.commands, []);
    assert.equal(peer.registrations.rpc.length, 1);
    await peer.until(peer.notify('attributes', 1, 'x'));
    await peer.registered('attributes', 2);
  });

  it('with an unknown token is reset', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"x"}', { token: Buffer.from('old') }), 'reset');
    assert.deepEqual(peer.heard.commands, []);
  });
});

describe('the end of an observation', { concurrency: true }, () => {
  for (const [code, observe, end] of [
    ['2.02', 0, 'ok'],
    ['2.02', 5, 'ok'],
    ['2.04', 1, 'ok'],
    ['4.01', 0, 'unauthorized'],
    ['4.04', 1, 'unexpected-response'],
    ['5.00', 1, 'server-overloaded'],
  ] as const) {
    it(`by ${code} with Observe ${observe} ends listen: ${end}`, { timeout }, async () => {
      await using peer = await ObservePeer.observed();
      const messageId = peer.notify('attributes', observe, '', { code });
      assert.equal(await endOf(peer), end);
      await peer.until(messageId);
      // The other observation is cancelled with its token.
      const [registration] = peer.registrations.rpc;
      const cancel = await peer.peer.packet(({ options }) =>
        options.some(({ name, value }) => name === 'Observe' && value.length === 1),
      );
      assert.equal(tokenOf(cancel), registration && tokenOf(registration.request));
    });
  }

  it('during a registration ends listen at once', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    peer.onRegistration = () => true;
    await peer.until(peer.notify('attributes', 9, '{}'));
    await peer.registered('attributes', 2);
    const startedMs = performance.now();
    peer.notify('attributes', 0, '', { code: '2.02' });
    assert.equal(await endOf(peer), 'ok');
    assert.ok(performance.now() - startedMs < 5_000);
  });

  it('by an abort is told to the server for each observation', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    peer.stop();
    assert.equal(await endOf(peer), 'aborted');
    const isCancel = ({ options }: ParsedPacket) =>
      options.some(({ name, value }) => name === 'Observe' && value.equals(Buffer.from([1])));
    await peer.peer.packet(() => peer.peer.received.filter(isCancel).length === 2);
    const registered = Object.values(peer.registrations).flatMap((all) =>
      all.map(({ request }) => tokenOf(request)),
    );
    assert.deepEqual(peer.peer.received.filter(isCancel).map(tokenOf), registered);
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"late"}'), 'reset');
    assert.deepEqual(peer.heard.commands, []);
  });
});

describe('a body in blocks', { concurrency: true }, () => {
  const body = JSON.stringify({ id: 0, method: 'set', params: 'p'.repeat(2_500) });
  const block2 = (number: number, hasMore: boolean) => ({
    name: 'Block2' as const,
    value: uint(number * 16 + (hasMore ? 8 : 0) + 6),
  });
  const partOf = (text: string, number: number) => text.slice(number * 1_024, (number + 1) * 1_024);
  const blockOf = (request: ParsedPacket) =>
    (request.options.find(({ name }) => name === 'Block2')?.value.readUInt8(0) ?? 0) >> 4;
  const size2 = { name: 'Size2' as const, value: uint(body.length) };

  it('is acknowledged when it is whole, and fetched block by block', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    let messageId = 0;
    peer.onRequest = (request, send) => {
      assert.equal(peer.empty(messageId), 0, 'acknowledged too early');
      const number = blockOf(request);
      send({ ...ack(request, '2.05', partOf(body, number)), options: [block2(number, number < 2)] });
    };
    messageId = peer.notify('rpc', 1, partOf(body, 0), { options: [block2(0, true), size2] });
    await peer.until(messageId);
    assert.deepEqual(peer.heard.commands, [{ id: 0, method: 'set', params: 'p'.repeat(2_500) }]);
  });

  it('is not acknowledged if the rest is missing, and is tried again', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    let isRestored = false;
    peer.onRequest = (request, send) => {
      const number = blockOf(request);
      if (isRestored)
        send({ ...ack(request, '2.05', partOf(body, number)), options: [block2(number, number < 2)] });
      else send(ack(request, '4.08'));
    };
    const options = [block2(0, true), size2];
    const messageId = peer.notify('rpc', 1, partOf(body, 0), { options });
    await peer.peer.packet(({ options: sent }) => sent.some(({ name }) => name === 'Block2'));
    isRestored = true;
    await repeatUntil(
      () => peer.notify('rpc', 1, partOf(body, 0), { options, messageId }),
      () => peer.heard.commands.length === 1,
    );
    await peer.until(messageId);
    assert.equal(peer.heard.commands.length, 1);
  });

  it('is whole before its observation registers again', { timeout }, async () => {
    let laterMs = 0;
    await using peer = await ObservePeer.observed({}, { clock: shiftedClock(() => laterMs) });
    let respond: (() => void) | undefined;
    peer.onRequest = (request, send) => {
      const number = blockOf(request);
      const answerBlock = () =>
        send({ ...ack(request, '2.05', partOf(body, number)), options: [block2(number, number < 2)] });
      if (request.code === '0.02') send(ack(request, '2.01'));
      else if (number === 1) respond = answerBlock;
      else answerBlock();
    };
    const messageId = peer.notify('rpc', 1, partOf(body, 0), { options: [block2(0, true), size2] });
    await peer.peer.packet(() => respond !== undefined);
    laterMs = 3_000_000;
    // The gap wakes the agent, which sees that the observation of commands is due.
    await peer.until(peer.notify('attributes', 5, '{}'));
    await peer.heard.until(({ registrations }) => registrations === 2);
    await peer.transport.postTelemetry(TOKEN, '[]', new AbortController().signal);
    assert.equal(peer.registrations.rpc.length, 1);
    respond?.();
    await peer.until(messageId);
    await peer.registered('rpc', 2);
    assert.equal(peer.heard.commands.length, 1);
  });

  it('of another size than announced is not used', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    peer.onRequest = (request, send) =>
      send({ ...ack(request, '2.05', '}'), options: [block2(blockOf(request), false)] });
    const messageId = peer.notify('rpc', 1, partOf(body, 0), { options: [block2(0, true), size2] });
    await peer.peer.packet(({ options }) => options.some(({ name }) => name === 'Block2'));
    await repeatUntil(
      () => peer.notify('rpc', 9, '{"id":7,"method":"next"}', { messageId: 0x3fff }),
      () => peer.heard.commands.length > 0,
    );
    assert.equal(peer.empty(messageId), 0);
    assert.deepEqual(
      peer.heard.commands.map(({ id }) => id),
      [7],
    );
  });
});

describe('a new socket', { concurrency: true }, () => {
  it('gets the observations again, with new tokens', { timeout }, async () => {
    let addresses = 'one';
    let laterMs = 0;
    const clock = shiftedClock(() => laterMs);
    await using peer = await ObservePeer.observed({}, { clock, ownAddresses: () => addresses });
    addresses = 'another';
    laterMs = 2_000;
    const posted = await peer.transport.postTelemetry(TOKEN, '[]', new AbortController().signal);
    assert.equal(posted.ok, true);
    await peer.heard.until(({ registrations }) => registrations === 2);
    assert.equal(peer.peer.sourcePorts.size, 2);
    const [before, after] = peer.registrations.rpc;
    assert.notEqual(before && tokenOf(before.request), after && tokenOf(after.request));
    await peer.until(peer.notify('rpc', 1, '{"id":0,"method":"ping"}'));
    assert.equal(peer.heard.commands.length, 1);
  });

  it('is opened while a registration is without a response', { timeout }, async () => {
    let addresses = 'one';
    let laterMs = 0;
    const clock = shiftedClock(() => laterMs);
    await using peer = await ObservePeer.open({}, { clock, ownAddresses: () => addresses });
    peer.onRegistration = () => peer.registrations.attributes.length === 1;
    await peer.registered('attributes', 1);
    addresses = 'another';
    laterMs = 2_000;
    const posted = await peer.transport.postTelemetry(TOKEN, '[]', new AbortController().signal);
    assert.equal(posted.ok, true);
    assert.equal(peer.peer.sourcePorts.size, 2);
    await peer.heard.until(({ registrations }) => registrations === 1);
  });
});

describe('a registration without a response', { concurrency: true }, () => {
  const timingOf = () => ({ retransmitAfterMs: [], noAckTimeoutMs: 800, responseTimeoutMs: 800 });
  const { signal } = new AbortController();

  it('leaves the socket to telemetry that works', { timeout }, async () => {
    await using peer = await ObservePeer.open({}, { timingOf });
    peer.onRegistration = () => true;
    assert.equal((await peer.transport.postTelemetry(TOKEN, '[]', signal)).ok, true);
    assert.equal(await endOf(peer), 'server-timeout');
    assert.equal((await peer.transport.postTelemetry(TOKEN, '[]', signal)).ok, true);
    assert.equal(peer.peer.sourcePorts.size, 1);
  });

  it('replaces the socket if no other request has succeeded for five minutes', { timeout }, async () => {
    let laterMs = 0;
    const clock = shiftedClock(() => laterMs);
    await using peer = await ObservePeer.open({}, { timingOf, clock });
    peer.onRegistration = () => true;
    assert.equal((await peer.transport.postTelemetry(TOKEN, '[]', signal)).ok, true);
    laterMs = 301_000;
    assert.equal(await endOf(peer), 'server-timeout');
    assert.equal((await peer.transport.postTelemetry(TOKEN, '[]', signal)).ok, true);
    assert.equal(peer.peer.sourcePorts.size, 2);
  });
});

describe('the message IDs of requests', () => {
  it('are different, whoever sends them', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round += 1) {
      await peer.transport.postTelemetry(TOKEN, '[]', signal);
      await peer.transport.reply(TOKEN, round, '{}', signal);
    }
    const ids = peer.peer.received.flatMap(({ code, messageId }) => (code === '0.00' ? [] : [messageId]));
    assert.equal(ids.length, 42);
    assert.equal(new Set(ids).size, ids.length);
    const [first = 0] = ids;
    assert.deepEqual(
      ids,
      ids.map((_, at) => (first + at) & 0xffff),
    );
  });
});

describe('a flood of notifications', { concurrency: true }, () => {
  it('is limited, reported once, and leaves the rest to the server', { timeout }, async () => {
    await using peer = await ObservePeer.observed();
    const sent: number[] = [];
    for (let n = 1; n <= 200; n += 1) sent.push(peer.notify('rpc', n, `{"id":${n},"method":"x"}`));
    const telemetry = await peer.transport.postTelemetry(TOKEN, '[]', new AbortController().signal);
    assert.equal(telemetry.ok, true);
    const handled = peer.heard.commands.length;
    assert.ok(handled >= 32 && handled < 100, `${handled} commands`);
    assert.deepEqual(peer.log.events, ['FL-DOWNLINK-LIMITED']);
    assert.equal(sent.filter((messageId) => peer.empty(messageId) > 0).length, handled);
  });
});
