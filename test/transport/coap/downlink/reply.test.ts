/** Replies of many blocks over bad networks, in virtual time, to the sandbox. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Result } from '../../../../src/core/failures/failure.ts';
import { NO_FAULTS } from '../../../simulation/first-boot/plan.ts';
import { GATEWAY } from '../../../simulation/first-boot/strategies.ts';
import { pathOf, TOKEN, VirtualDownlink } from '../helpers/virtual-downlink.ts';

const never = new AbortController().signal;
const bodyOf = (bytes: number, letter: string) =>
  JSON.stringify({ text: letter.repeat(bytes - '{"text":""}'.length) });

/** Sends a command, and returns its ID and the reply that the server gets. */
async function command(
  downlink: VirtualDownlink,
): Promise<{ readonly id: number; readonly reply: () => Promise<string> }> {
  const count = downlink.heard.commands.length;
  const sent = downlink.server.core.admin.sendRpc(GATEWAY.name, { method: 'status', timeoutMs: 600_000 });
  const reply = async () => {
    // In virtual time, the server reports the reply when its wait is over.
    await downlink.run(600_000);
    const answer = await sent;
    return answer.ok && answer.value.status === 'replied' ? answer.value.reply : '';
  };
  await downlink.run(60_000, () => downlink.heard.commands.length > count);
  return { id: downlink.heard.commands.at(-1)?.id ?? -1, reply };
}

/** The result of a reply, and how long it took, ms. */
async function replied(downlink: VirtualDownlink, id: number, body: string, signal = never) {
  const startedMs = downlink.time.nowMs;
  let result: Result<void> | undefined;
  void downlink.transport.reply(TOKEN, id, body, signal).then((ended) => {
    result = ended;
  });
  await downlink.run(300_000, () => result !== undefined);
  const reason = result === undefined ? 'none' : result.ok ? 'ok' : result.failure.reason;
  return { reason, tookMs: downlink.time.nowMs - startedMs };
}

describe('a reply in blocks', () => {
  for (const [network, path] of [
    ['loses 5 % of the datagrams', pathOf(0.05, 80, 120)],
    ['takes half a second each way', pathOf(0, 500, 600)],
  ] as const) {
    it(`of 64 kB arrives whole over a network that ${network}`, async () => {
      for (const seed of [1, 2, 3]) {
        await using downlink = new VirtualDownlink(seed);
        downlink.conditions = { ...NO_FAULTS, up: path, down: path };
        const { id, reply } = await command(downlink);
        const body = bodyOf(65_536, 'a');
        assert.equal((await replied(downlink, id, body)).reason, 'ok');
        assert.equal(await reply(), body);
      }
    });
  }

  it('starts again when the server has forgotten its first blocks', async () => {
    await using downlink = new VirtualDownlink();
    const { id } = await command(downlink);
    downlink.time.after(1_000, () => downlink.server.restart(0));
    const { reason, tookMs } = await replied(downlink, id, bodyOf(65_536, 'a'));
    assert.equal(reason, 'ok');
    assert.ok(tookMs > 3_000 && tookMs < 10_000, `${tookMs} ms`);
  });

  it('waits for another one, and not for a small one', async () => {
    await using downlink = new VirtualDownlink();
    const first = await command(downlink);
    const second = await command(downlink);
    const third = await command(downlink);
    const startedMs = downlink.time.nowMs;
    const ends: string[] = [];
    const tookMs: number[] = [];
    const post = (name: string, id: number, body: string) =>
      void downlink.transport.reply(TOKEN, id, body, never).then(({ ok }) => {
        ends.push(`${name} ${ok}`);
        tookMs.push(downlink.time.nowMs - startedMs);
      });
    post('first', first.id, bodyOf(20_000, 'a'));
    post('second', second.id, bodyOf(20_000, 'b'));
    post('third', third.id, '{"small":true}');
    await downlink.run(60_000, () => ends.length === 3);
    assert.deepEqual(ends, ['third true', 'first true', 'second true']);
    const [, firstMs = 0, secondMs = 0] = tookMs;
    assert.ok(firstMs < 0.6 * secondMs, 'the blocks of both were sent at the same time');
    assert.equal(await first.reply(), bodyOf(20_000, 'a'));
    assert.equal(await second.reply(), bodyOf(20_000, 'b'));
    assert.equal(await third.reply(), '{"small":true}');
  });

  it('ends after three minutes at the latest', async () => {
    await using downlink = new VirtualDownlink();
    const { id } = await command(downlink);
    // Each block takes longer than four seconds.
    downlink.conditions = { ...NO_FAULTS, up: pathOf(0, 2_000, 2_200), down: pathOf(0, 2_000, 2_200) };
    const { reason, tookMs } = await replied(downlink, id, bodyOf(65_536, 'a'));
    assert.equal(reason, 'server-timeout');
    assert.ok(tookMs <= 180_000, `${tookMs} ms`);
  });

  it('ends at once with an abort, and then the next one is sent', async () => {
    await using downlink = new VirtualDownlink();
    const { id, reply } = await command(downlink);
    const stop = new AbortController();
    downlink.time.after(500, () => stop.abort());
    const ended = await replied(downlink, id, bodyOf(65_536, 'a'), stop.signal);
    assert.equal(ended.reason, 'aborted');
    assert.ok(ended.tookMs < 600);
    assert.equal((await replied(downlink, id, bodyOf(5_000, 'b'))).reason, 'ok');
    assert.equal(await reply(), bodyOf(5_000, 'b'));
  });
});
