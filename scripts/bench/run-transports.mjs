/**
 * Compiled by compiled.mjs, run in a network namespace of its own: the cost of a post over CoAP, coaps, HTTP and HTTPS with a
 * persistent connection, in bytes on the wire and CPU, and that of the helper of coaps and of its handshakes.
 *
 * Bytes are those of the loopback counters, which have no Ethernet header: IP, UDP, TCP, TLS and every acknowledgement count. The server (the sandbox behind a TLS and a DTLS front) is a process of its own. The pause between two posts covers delayed
 * acknowledgements.
 */

import { execFileSync, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { DTLS_MESSAGE_BYTES_MAX } from '../../src/core/delivery/encode.ts';
import { Secret } from '../../src/core/model/secret.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { connectSocket } from '../../src/transport/datagram-socket.ts';
import { DtlsEndpoint } from '../../src/transport/dtls/endpoint.ts';
import { helperStarter } from '../../src/transport/dtls/helper-process.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { readParameters } from './parameters.mjs';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const POSTS = 30;
const QUIET_MS = 250;
const HANDSHAKES = 20;
const NO_LINK = {
  isConfirmed: true,
  prepare: async () => ({ ok: true }),
  beforeRequest() {},
  onLost() {},
};
/** `dist`: where the programs for DTLS are; absent if they are not compiled. */
const { certFile, keyFile, dist } = readParameters();

if (process.send) await serve();
else console.log(JSON.stringify(await measure()));

async function serve() {
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: 's' } });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN });
  const pem = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const front = createServer({ ...pem, noDelay: true }, (socket) => {
    const behind = connect(sandbox.httpPort, '127.0.0.1');
    socket.pipe(behind).pipe(socket);
    for (const each of [socket, behind]) each.on('error', () => {});
  });
  const coaps = dist && (await openDtlsFront(sandbox.coapPort));
  front.listen(0, '127.0.0.1', () =>
    process.send({ coap: sandbox.coapPort, coaps, http: sandbox.httpPort, https: front.address().port }),
  );
}

/** Not bundled: the module finds its program beside itself. */
async function openDtlsFront(coapPort) {
  const { DtlsFront } = await import(join(dist, 'src', 'sandbox', 'coaps', 'dtls-front.js'));
  const front = await DtlsFront.start({ port: 0, coapPort, certFile, keyFile });
  return front.port;
}

async function measure() {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const server = fork(process.argv[1], [process.argv[2]], { execArgv: process.execArgv });
  const ports = await new Promise((resolve) => server.once('message', resolve));
  const clock = hostClock();
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const userAgent = 'firstlight/0.1.0';
  const tls = { pins: [], ca: readFileSync(certFile, 'utf8') };
  const http = (scheme, port) =>
    new HttpTransport({ scheme, host: 'localhost', port, tls, userAgent }, { clock, log });
  const transports = {
    CoAP: new CoapTransport(
      { host: '127.0.0.1', port: ports.coap },
      { clock, random: { uniform: () => 0.5 } },
    ),
  };
  let dtls;
  if (dist) {
    dtls = new DtlsEndpoint(
      { host: 'localhost', tls },
      { clock, startHelper: helperStarter([join(dist, 'firstlight-dtls')], clock) },
    );
    const limits = { messageBytesMax: DTLS_MESSAGE_BYTES_MAX, isCertificateDevice: false };
    const open = (port, openSocket) =>
      new CoapTransport(
        { host: '127.0.0.1', port, dtls: limits },
        { clock, random: { uniform: () => 0.5 }, openSocket },
      );
    transports.coaps = open(ports.coaps, dtls.openSocket);
    // The same datagrams in plaintext, as between front and sandbox, where nothing is the gateway's.
    transports.behindFront = open(ports.coap, () => Object.assign(createSocket('udp4'), { link: NO_LINK }));
  }
  transports.HTTP = http('http', ports.http);
  transports.HTTPS = http('https', ports.https);
  const results = {};
  for (const [name, transport] of Object.entries(transports)) {
    results[name] = await costOf(transport, clock);
    await transport[Symbol.asyncDispose]();
    await clock.sleep(QUIET_MS, new AbortController().signal);
  }
  // Of the wire between front and sandbox nothing is the gateway's: what plain HTTP cost goes off.
  results.HTTPS.bytes -= results.HTTP.bytes;
  results.HTTPS.packets -= results.HTTP.packets;
  if (dtls) {
    results.coaps.bytes -= results.behindFront.bytes;
    results.coaps.packets -= results.behindFront.packets;
    delete results.behindFront;
    results.coaps.helper = await costOfHelper(dtls, tls, ports.coaps, clock);
  }
  server.kill();
  await dtls?.[Symbol.asyncDispose]();
  return results;
}

async function costOf(transport, clock) {
  const never = new AbortController().signal;
  let ts = 1_700_000_000_000;
  const post = async () => {
    ts += 10_000;
    const values = { cpuUsePercent: 9.5, load1: 0.41, memoryAvailableBytes: 11_811_160_064 };
    const result = await transport.postTelemetry(new Secret(TOKEN), JSON.stringify([{ ts, values }]), never);
    if (!result.ok) throw new Error(result.failure.detail);
    await clock.sleep(QUIET_MS, never);
  };
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await post();
  const [before, cpu, helperBefore] = [loopback(), process.cpuUsage(), helperCpuMs()];
  for (let count = 0; count < POSTS; count += 1) await post();
  const { user, system } = process.cpuUsage(cpu);
  const after = loopback();
  return {
    bytes: (after.bytes - before.bytes) / POSTS,
    packets: (after.packets - before.packets) / POSTS,
    cpuMs: (user + system) / 1000 / POSTS,
    helperCpuMs: (helperCpuMs() - helperBefore) / POSTS,
  };
}

/** The helper after some posts, and its handshakes: CPU and bytes of each, both ways. */
async function costOfHelper(dtls, tls, port, clock) {
  const [pid] = helperPids();
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field) => Number(rollup.match(new RegExp(`^${field}:\\s+(\\d+)`, 'm'))[1]) / 1024;
  const memory = { rssMib: mib('Rss'), privateMib: mib('Private_Clean') + mib('Private_Dirty') };
  // With a client certificate every handshake is a full one; a helper without one resumes.
  const client = { cert: readFileSync(certFile, 'utf8'), key: new Secret(readFileSync(keyFile, 'utf8')) };
  const startHelper = helperStarter([join(dist, 'firstlight-dtls')], clock);
  const full = new DtlsEndpoint({ host: 'localhost', tls: { ...tls, client } }, { clock, startHelper });
  const costs = { ...memory, resumed: await costOfHandshake(dtls, port, clock) };
  costs.full = await costOfHandshake(full, port, clock);
  await full[Symbol.asyncDispose]();
  return costs;
}

async function costOfHandshake(endpoint, port, clock) {
  const peer = { address: '127.0.0.1', family: 4, port };
  const shakeHands = async () => {
    const socket = endpoint.openSocket('udp4');
    await connectSocket(socket, peer);
    socket.close();
    await clock.sleep(QUIET_MS / 5, new AbortController().signal);
  };
  await shakeHands();
  const [before, cpuMs] = [loopback(), helperCpuMs()];
  for (let count = 0; count < HANDSHAKES; count += 1) await shakeHands();
  return {
    bytes: (loopback().bytes - before.bytes) / HANDSHAKES,
    cpuMs: (helperCpuMs() - cpuMs) / HANDSHAKES,
  };
}

/** The helpers of this process. */
function helperPids() {
  if (!dist) return [];
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter(
    (pid) => pid !== '' && readlinkSync(`/proc/${pid}/exe`).endsWith('/firstlight-dtls'),
  );
}

/** Of all helpers, from schedstat (nanoseconds). */
function helperCpuMs() {
  const ofPid = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  return helperPids().reduce((sum, pid) => sum + ofPid(pid), 0);
}

function loopback() {
  const line = readFileSync('/proc/net/dev', 'utf8').match(/^\s*lo:\s*(\d+)\s+(\d+)/m);
  return { bytes: Number(line[1]), packets: Number(line[2]) };
}
