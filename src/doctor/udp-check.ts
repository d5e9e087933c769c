/**
 * Checks the UDP path to a CoAP server with its own sockets: does it respond, is it ThingsBoard, do large datagrams pass.
 *
 * Every CoAP server answers a ping (RFC 7252, 4.3: an empty confirmable message) with a reset. Only ThingsBoard answers telemetry
 * with an unknown token with 4.01 (contract 1.1), so this changes nothing on the server.
 */

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { generate, type Packet, parse } from 'coap-packet';
import { ChildAbortController } from '../core/async/abort.ts';
import { type Check, type CheckClock, type CheckResult, describeError, fail, pass, skip } from './check.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** How often each datagram is sent. */
const ATTEMPTS = 3;
/** Time to wait after each attempt, ms. */
const RESPONSE_TIMEOUT_MS = 1_500;
/** Not a real token: those of ThingsBoard have 20 characters. */
const UNKNOWN_TOKEN = 'firstlight-doctor-nobodys-token';
const LARGE_BYTES = 1_000;

type UdpResult =
  | { readonly type: 'response'; readonly code: string; readonly reset: boolean }
  | { readonly type: 'not-coap' | 'timeout' | 'closed' }
  | { readonly type: 'error'; readonly problem: string };

export function udpCheck(peer: ServerAddress, clock: CheckClock): Check {
  return { name: 'UDP path', run: (signal) => checkPath(peer, clock, signal) };
}

export function datagramCheck(peer: ServerAddress, clock: CheckClock): Check {
  return { name: 'large datagrams', run: (signal) => checkDatagramSize(peer, clock, signal) };
}

async function checkPath(peer: ServerAddress, clock: CheckClock, signal: AbortSignal): Promise<CheckResult> {
  const target = `${peer.host}:${peer.port}`;
  const ping = await exchange(peer, { confirmable: true, code: '0.00' }, clock, signal);
  const first =
    ping.type === 'timeout' ? await exchange(peer, telemetryPacket('{"x":1}'), clock, signal) : ping;
  switch (first.type) {
    case 'closed':
      return fail(
        `${target} responds: port closed`,
        'the host is reachable, but nothing listens on that UDP port',
        'check the port in server.url, and that the CoAP transport of ThingsBoard is enabled and started',
      );
    case 'timeout':
      return fail(
        `${target} does not respond to ${ATTEMPTS} CoAP pings`,
        'the network drops datagrams in one direction, or the host is down',
        'check that every firewall on the path passes UDP to that port and the responses, and that the server is running',
      );
    case 'error':
      return fail(
        `${target}: ${first.problem}`,
        'this host cannot send datagrams to the server',
        'check the network link, the address and the default route',
      );
    case 'not-coap':
      return notThingsBoard(`${target} responds with data that is not CoAP`);
    case 'response': {
      const response = await exchange(peer, telemetryPacket('{"x":1}'), clock, signal);
      if (response.type === 'response' && response.code === '4.01')
        return pass(`${target} responds like ThingsBoard`);
      return notThingsBoard(
        response.type === 'response'
          ? `${target} speaks CoAP, but responds ${response.code} where ThingsBoard responds 4.01`
          : `${target} responds to a ping, but not to telemetry`,
      );
    }
  }
}

function notThingsBoard(observed: string): CheckResult {
  return fail(
    observed,
    'the service on that port is not ThingsBoard',
    'check that server.url names the CoAP transport of ThingsBoard, not a proxy or another service',
  );
}

async function checkDatagramSize(
  peer: ServerAddress,
  clock: CheckClock,
  signal: AbortSignal,
): Promise<CheckResult> {
  const [small, large] = await Promise.all([
    exchange(peer, telemetryPacket('{"x":1}'), clock, signal),
    exchange(peer, telemetryPacket(JSON.stringify({ x: 'x'.repeat(LARGE_BYTES - 8) })), clock, signal),
  ]);
  if (small.type !== 'response')
    return skip('no response to a small datagram, so a large one proves nothing');
  if (large.type === 'response') return pass(`the server responds to a datagram of ${LARGE_BYTES} bytes`);
  return fail(
    `the server responds to small datagrams, but not to one of ${LARGE_BYTES} bytes`,
    'the network drops large datagrams (an MTU black hole, often a VPN or a mobile network)',
    'check the MTU of each link and tunnel on the path, and that ICMP "fragmentation needed" is not filtered',
  );
}

function telemetryPacket(body: string): Packet {
  const path = ['api', 'v1', UNKNOWN_TOKEN, 'telemetry'];
  const options = path.map((part) => ({ name: 'Uri-Path', value: Buffer.from(part) }));
  return { confirmable: true, code: 'POST', token: Buffer.from('fldr'), options, payload: Buffer.from(body) };
}

/** Sends the packet up to ATTEMPTS times. The first response counts; an empty acknowledgement does not. */
async function exchange(
  peer: ServerAddress,
  packet: Packet,
  clock: CheckClock,
  signal: AbortSignal,
): Promise<UdpResult> {
  const { address, family } = await lookup(peer.host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  using responseAbort = new ChildAbortController(signal);
  let result: UdpResult = { type: 'timeout' };
  const finish = (finalResult: UdpResult) => {
    result = finalResult;
    responseAbort.abort();
  };
  socket.on('message', (message) => {
    const parsed = parseResponse(message);
    if (parsed) finish(parsed);
  });
  socket.on('error', (error) => finish(errorResult(error)));
  try {
    await new Promise<void>((resolve) => socket.connect(peer.port, address, resolve));
    const datagram = generate({ ...packet, messageId: 1 + Math.floor(clock.monotonicMs() % 65_000) }, 1_400);
    for (let count = 0; count < ATTEMPTS && !responseAbort.signal.aborted; count += 1) {
      socket.send(datagram, (error) => {
        if (error) finish(errorResult(error));
      });
      await clock.sleep(RESPONSE_TIMEOUT_MS, responseAbort.signal);
    }
    return result;
  } finally {
    socket.close();
  }
}

function parseResponse(message: Buffer): UdpResult | undefined {
  try {
    const { code, reset, ack } = parse(message);
    // The response follows in a separate message.
    if (ack && code === '0.00') return undefined;
    return { type: 'response', code, reset };
  } catch {
    return { type: 'not-coap' };
  }
}

function errorResult(error: Error): UdpResult {
  const problem = describeError(error);
  return problem === 'ECONNREFUSED' ? { type: 'closed' } : { type: 'error', problem };
}
