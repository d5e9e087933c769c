/** The UDP checks against real sockets: one diagnosis for each kind of failure. */

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { generate, parse } from 'coap-packet';
import { datagramCheck, udpCheck } from '../../src/doctor/udp-check.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';

const clock = hostClock();
/** A clock that shortens each wait to a fifth. */
const hurried = { ...clock, sleep: (ms: number, until: AbortSignal) => clock.sleep(ms / 5, until) };
const { signal } = new AbortController();

/** A socket on a free port that passes each datagram to `onMessage`. */
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
  return result.status === 'fail' ? `fail: ${result.meaning}` : result.status;
}

describe('the UDP checks', () => {
  it('pass for ThingsBoard and change nothing on the server', async () => {
    await using sandbox = await openSandbox({ provisioning: { key: 'k', secret: 'sssssss' } });
    const peer = { host: '127.0.0.1', port: sandbox.coapPort };
    assert.equal(await runCheck(peer), 'pass');
    assert.equal(await runCheck(peer, datagramCheck), 'pass');
    assert.deepEqual(sandbox.devices(), []);
  });

  it('report that nothing listens on a closed port', async () => {
    const gone = await listener(() => {});
    gone[Symbol.dispose]();
    assert.match(await runCheck(gone.peer), /nothing listens/);
  });

  it('report dropped datagrams if nothing responds', { timeout: 30_000 }, async () => {
    using silent = await listener(() => {});
    assert.match(await runCheck(silent.peer, udpCheck, hurried), /the network drops datagrams/);
  });

  it('report a service that is not CoAP or not ThingsBoard', async () => {
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

  it('report an MTU black hole if only large datagrams are dropped', { timeout: 30_000 }, async () => {
    using hole = await listener((socket, message, port) => {
      if (message.length > 500) return;
      const { messageId, token } = parse(message);
      socket.send(generate({ ack: true, code: '4.01', messageId, token }), port);
    });
    assert.match(await runCheck(hole.peer, datagramCheck, hurried), /MTU black hole/);
  });
});
