/**
 * The UDP path to a CoAP server, by sockets of its own: does anything answer there, is it ThingsBoard, and do full datagrams pass.
 *
 * A CoAP ping (RFC 7252, 4.3: an empty confirmable message) is answered with a reset by any CoAP server. Telemetry for a token
 * nobody has is answered 4.01 by ThingsBoard alone (contract 1.1); with one value and with a kilobyte it tells a road that
 * swallows large datagrams. Nothing of the server's is changed.
 */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { generate, type Packet, parse } from 'coap-packet';
import { LinkedAbort } from '../core/async/abort.ts';
import { type Check, cross, dash, type Finding, type Timer, tick, wordsOf } from './check.ts';

export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** Each datagram is sent so often, and awaited for so long, ms. */
const TRIES = 3;
const ANSWER_MS = 1_500;
/** No token is like it: ThingsBoard's are 20 characters long. */
const NOBODYS_TOKEN = 'firstlight-doctor-nobodys-token';
const LARGE_BYTES = 1_000;

type Answer =
  | { readonly is: 'answer'; readonly code: string; readonly reset: boolean }
  | { readonly is: 'gibberish' | 'silence' | 'closed' }
  | { readonly is: 'error'; readonly problem: string };

export function udpCheck(peer: Peer, clock: Timer): Check {
  return { name: 'UDP path', look: (signal) => lookAtPath(peer, clock, signal) };
}

export function datagramCheck(peer: Peer, clock: Timer): Check {
  return { name: 'large datagrams', look: (signal) => lookAtSize(peer, clock, signal) };
}

async function lookAtPath(peer: Peer, clock: Timer, signal: AbortSignal): Promise<Finding> {
  const place = `${peer.host}:${peer.port}`;
  const ping = await ask(peer, { confirmable: true, code: '0.00' }, clock, signal);
  const first = ping.is === 'silence' ? await ask(peer, post('{"x":1}'), clock, signal) : ping;
  switch (first.is) {
    case 'closed':
      return cross(
        `${place} answers: port closed`,
        'the host is there, and nothing listens on that UDP port',
        'check the port in server.url, and that the CoAP transport of ThingsBoard is enabled and started',
      );
    case 'silence':
      return cross(
        `${place} does not answer a CoAP ping, asked ${TRIES} times`,
        'datagrams are dropped on the way, there or back, or the host is off',
        'check that every firewall on the way passes UDP to that port and its answers, and that the server runs',
      );
    case 'error':
      return cross(
        `${place}: ${first.problem}`,
        'no datagram can leave towards the server',
        'check the network link, the address and the default route',
      );
    case 'gibberish':
      return notOurs(`${place} answers with something that is no CoAP`);
    case 'answer': {
      const told = await ask(peer, post('{"x":1}'), clock, signal);
      if (told.is === 'answer' && told.code === '4.01') return tick(`${place} answers as ThingsBoard does`);
      return notOurs(
        told.is === 'answer'
          ? `${place} speaks CoAP, and answers ${told.code} where ThingsBoard answers 4.01`
          : `${place} answers a ping, and telemetry not at all`,
      );
    }
  }
}

function notOurs(seen: string): Finding {
  return cross(
    seen,
    'what listens there is no ThingsBoard',
    'check that server.url names the CoAP transport of ThingsBoard, and no proxy or other service',
  );
}

async function lookAtSize(peer: Peer, clock: Timer, signal: AbortSignal): Promise<Finding> {
  const [small, large] = await Promise.all([
    ask(peer, post('{"x":1}'), clock, signal),
    ask(peer, post(JSON.stringify({ x: 'x'.repeat(LARGE_BYTES - 8) })), clock, signal),
  ]);
  if (small.is !== 'answer') return dash('no answer to a small one, so a large one proves nothing');
  if (large.is === 'answer') return tick(`a datagram of ${LARGE_BYTES} bytes is answered`);
  return cross(
    `small datagrams are answered, one of ${LARGE_BYTES} bytes is not`,
    'the road swallows large datagrams (an MTU black hole, often a VPN or a mobile network)',
    'check the MTU of each link and tunnel on the way, and that ICMP "fragmentation needed" is not filtered',
  );
}

function post(body: string): Packet {
  const path = ['api', 'v1', NOBODYS_TOKEN, 'telemetry'];
  const options = path.map((part) => ({ name: 'Uri-Path', value: Buffer.from(part) }));
  return { confirmable: true, code: 'POST', token: Buffer.from('fldr'), options, payload: Buffer.from(body) };
}

/** Sends it up to TRIES times from a socket of its own; the first answer counts, an empty acknowledgement does not. */
async function ask(peer: Peer, packet: Packet, clock: Timer, signal: AbortSignal): Promise<Answer> {
  const { address, family } = await lookup(peer.host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  using over = new LinkedAbort(signal);
  let answer: Answer = { is: 'silence' };
  const settle = (with_: Answer) => {
    answer = with_;
    over.abort();
  };
  socket.on('message', (message) => {
    const heard = understood(message);
    if (heard) settle(heard);
  });
  socket.on('error', (error) => settle(failure(error)));
  try {
    await new Promise<void>((resolve) => socket.connect(peer.port, address, resolve));
    const datagram = generate({ ...packet, messageId: 1 + Math.floor(clock.monotonicMs() % 65_000) }, 1_400);
    for (let count = 0; count < TRIES && !over.signal.aborted; count += 1) {
      socket.send(datagram, (error) => {
        if (error) settle(failure(error));
      });
      await clock.sleep(ANSWER_MS, over.signal);
    }
    return answer;
  } finally {
    socket.close();
  }
}

function understood(message: Buffer): Answer | undefined {
  try {
    const { code, reset, ack } = parse(message);
    // The answer itself is still to come.
    if (ack && code === '0.00') return undefined;
    return { is: 'answer', code, reset };
  } catch {
    return { is: 'gibberish' };
  }
}

function failure(error: Error): Answer {
  const problem = wordsOf(error);
  return problem === 'ECONNREFUSED' ? { is: 'closed' } : { is: 'error', problem };
}
