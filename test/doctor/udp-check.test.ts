/** The UDP path, against real sockets: each way in which it can be broken has a diagnosis of its own. */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { generate, parse } from 'coap-packet';
import { datagramCheck, udpCheck } from '../../src/doctor/udp-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';

const clock = hostClock();
/** Waits for an answer a fifth of the time. */
const hurried = { ...clock, sleep: (ms: number, until: AbortSignal) => clock.sleep(ms / 5, until) };
const { signal } = new AbortController();

/** A socket on a free port that treats each datagram as `hear` says. */
async function listener(onMessage: (socket: Socket, message: Buffer, port: number) => void) {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { port }) => onMessage(socket, message, port));
  const { port } = socket.address();
  return { peer: { host: '127.0.0.1', port }, [Symbol.dispose]: () => void socket.close() };
}

async function runCheck(
  peer: { host: string; port: number },
  check = udpCheck,
  time = clock,
): Promise<string> {
  const result = await check(peer, time).run(signal);
  return result.status === 'fail' ? `cross: ${result.meaning}` : result.status;
}

describe('the UDP path', () => {
  it('of a ThingsBoard is in order, for large datagrams too, and changes nothing there', async () => {
    await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 'sssssss' } });
    const peer = { host: '127.0.0.1', port: sandbox.coapPort };
    assert.equal(await runCheck(peer), 'pass');
    assert.equal(await runCheck(peer, datagramCheck), 'pass');
    assert.deepEqual(sandbox.devices(), []);
  });

  it('to a closed port says that nothing listens', async () => {
    const gone = await listener(() => {});
    gone[Symbol.dispose]();
    assert.match(await runCheck(gone.peer), /nothing listens/);
  });

  it('that drops everything says that datagrams are dropped', { timeout: 30_000 }, async () => {
    using silent = await listener(() => {});
    assert.match(await runCheck(silent.peer, udpCheck, hurried), /the network drops datagrams/);
  });

  it('to something that is no CoAP, or another CoAP server, says that it is no ThingsBoard', async () => {
    using chatter = await listener((socket, _message, port) => socket.send('hello, who is there?', port));
    assert.match(await runCheck(chatter.peer), /not ThingsBoard/);
    using other = await listener((socket, message, port) => {
      const { code, messageId, token } = parse(message);
      const isPing = code === '0.00';
      const answer = isPing
        ? generate({ reset: true, code: '0.00', messageId })
        : generate({ ack: true, code: '4.04', messageId, token });
      socket.send(answer, port);
    });
    assert.match(await runCheck(other.peer), /not ThingsBoard/);
  });

  it('that swallows large datagrams is an MTU black hole', { timeout: 30_000 }, async () => {
    using hole = await listener((socket, message, port) => {
      if (message.length > 500) return;
      const { messageId, token } = parse(message);
      socket.send(generate({ ack: true, code: '4.01', messageId, token }), port);
    });
    assert.match(await runCheck(hole.peer, datagramCheck, hurried), /MTU black hole/);
  });
});
