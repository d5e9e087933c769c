/**
 * A UDP relay between the agent and the sandbox. It counts all datagrams, both ways, with the 28 bytes of their IPv4 and UDP
 * headers (RFC 791, RFC 768; no options), and can delay and lose them. The losses are seeded and repeatable, as far as both
 * programs behave the same again.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parse } from 'coap-packet';

const HEADERS_BYTES = 28;
const POST = '0.02';

/**
 * One client, one server; responses go to the last sender. `delayMs` and `loss` apply to each direction. `port`: of the relay;
 * default: any.
 */
export async function openRelay(serverPort, { port = 0, delayMs = 0, loss = 0, seed = 1 } = {}) {
  const [outside, inside] = [createSocket('udp4'), createSocket('udp4')];
  const count = { bytes: 0, datagrams: 0, posts: 0, payloadBytes: 0 };
  /** Each POST by its CoAP token, which its retransmissions and its response share. */
  const requests = new Map();
  const dice = createDice(seed);
  let client;
  const carry = (datagram, send) => {
    count.bytes += datagram.length + HEADERS_BYTES;
    count.datagrams += 1;
    if (dice() < loss) return;
    if (delayMs > 0) setTimeout(send, delayMs);
    else send();
  };
  outside.on('message', (datagram, from) => {
    client = from;
    note(parse(datagram), requests, count);
    carry(datagram, () => inside.send(datagram, serverPort, '127.0.0.1'));
  });
  inside.on('message', (datagram) => {
    carry(datagram, () => {
      settle(parse(datagram), requests);
      if (client) outside.send(datagram, client.port, client.address);
    });
  });
  outside.bind(port, '127.0.0.1');
  await once(outside, 'listening');
  return {
    count,
    /** Every POST: its payload, and the times of the first transmission and of the response, by performance.now(). */
    requests: () => [...requests.values()],
    port: outside.address().port,
    close: () => {
      outside.close();
      inside.close();
    },
  };
}

function note({ code, token, payload }, requests, count) {
  if (code !== POST) return;
  count.posts += 1;
  count.payloadBytes += payload.length;
  const name = token.toString('hex');
  if (!requests.has(name)) requests.set(name, { payload, sentMs: performance.now() });
}

/** An empty acknowledgement is not a response and has no token. */
function settle({ code, token }, requests) {
  const request = code === '0.00' ? undefined : requests.get(token.toString('hex'));
  if (request) request.answeredMs ??= performance.now();
}

/** splitmix32, as in src/sandbox/core/random.ts. */
function createDice(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 0x1_0000_0000;
  };
}
