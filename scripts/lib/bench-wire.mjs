/**
 * Bytes on the wire per reading: a small UDP relay between the agent and the sandbox counts every datagram,
 * both ways, with the 28 bytes of its IPv4 and UDP headers (RFC 791, RFC 768; no options).
 *
 * Counted is the steady state: after provisioning and attributes, from the middle between two readings to the
 * middle between two others.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { flagsOfTheUnit, sleep, start } from './bench-programs.mjs';

const HEADERS_BYTES = 28;
const READINGS = 10;
/** CoAP's code of a POST, second byte of the datagram (RFC 7252 section 3). */
const POST = 0x02;

export async function measureWire(bundle, sandbox) {
  const relay = await openRelay(sandbox.coapPort);
  const home = sandbox.home({ intervalS: 1, port: relay.port });
  const agent = start([...flagsOfTheUnit(), bundle, ...home]);
  await agent.line('client attributes accepted');
  const before = await countBetweenReadings(relay, sandbox, 1);
  const after = await countBetweenReadings(relay, sandbox, READINGS);
  await agent.stop();
  relay.close();
  const readings = after.posts - before.posts;
  const per = (name, unit, field) => ({ name, value: (after[field] - before[field]) / readings, unit });
  return [
    per('bytes on the wire per reading, both ways', 'B', 'bytes'),
    per('datagrams per reading, both ways', '', 'datagrams'),
    per('values per reading', '', 'points'),
  ];
}

async function countBetweenReadings(relay, sandbox, readings) {
  const until = relay.count.posts + readings;
  while (relay.count.posts < until) await sleep(20);
  await sleep(500);
  return { ...relay.count, points: await sandbox.storedPoints() };
}

/** One client, one server; answers go back to whoever spoke last. */
async function openRelay(serverPort) {
  const [outside, inside] = [createSocket('udp4'), createSocket('udp4')];
  const count = { bytes: 0, datagrams: 0, posts: 0 };
  let client;
  const tally = (datagram) => {
    count.bytes += datagram.length + HEADERS_BYTES;
    count.datagrams += 1;
  };
  outside.on('message', (datagram, from) => {
    client = from;
    tally(datagram);
    if (datagram[1] === POST) count.posts += 1;
    inside.send(datagram, serverPort, '127.0.0.1');
  });
  inside.on('message', (datagram) => {
    tally(datagram);
    if (client) outside.send(datagram, client.port, client.address);
  });
  outside.bind(0, '127.0.0.1');
  await once(outside, 'listening');
  return {
    count,
    port: outside.address().port,
    close: () => {
      outside.close();
      inside.close();
    },
  };
}
