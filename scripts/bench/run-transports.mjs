/**
 * Compiled by compiled.mjs, run in a network namespace of its own: the cost of a post over CoAP, HTTP and HTTPS with a persistent
 * connection, in bytes on the wire and CPU.
 *
 * Bytes are those of the loopback counters less the 14 of each Ethernet header: IP, UDP, TCP, TLS and every acknowledgement
 * count. The server (the sandbox behind a TLS front) is a process of its own. The pause between two posts covers delayed
 * acknowledgements.
 */

import { execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { Secret } from '../../src/core/model/secret.ts';
import { hostClock } from '../../src/host/clock/clock.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { CoapTransport } from '../../src/transport/coap/transport.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { readParameters } from './parameters.mjs';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const POSTS = 30;
const QUIET_MS = 250;
const { certFile, keyFile } = readParameters();

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
  front.listen(0, '127.0.0.1', () =>
    process.send({ coap: sandbox.coapPort, http: sandbox.httpPort, https: front.address().port }),
  );
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
    HTTP: http('http', ports.http),
    HTTPS: http('https', ports.https),
  };
  const results = {};
  for (const [name, transport] of Object.entries(transports)) results[name] = await costOf(transport, clock);
  // Of the wire between front and sandbox nothing is the gateway's: what plain HTTP cost goes off.
  results.HTTPS.bytes -= results.HTTP.bytes;
  results.HTTPS.packets -= results.HTTP.packets;
  server.kill();
  for (const transport of Object.values(transports)) await transport[Symbol.asyncDispose]();
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
  const [before, cpu] = [loopback(), process.cpuUsage()];
  for (let count = 0; count < POSTS; count += 1) await post();
  const { user, system } = process.cpuUsage(cpu);
  const after = loopback();
  return {
    bytes: (after.bytes - before.bytes) / POSTS,
    packets: (after.packets - before.packets) / POSTS,
    cpuMs: (user + system) / 1000 / POSTS,
  };
}

function loopback() {
  const line = readFileSync('/proc/net/dev', 'utf8').match(/^\s*lo:\s*(\d+)\s+(\d+)/m);
  const [bytes, packets] = [Number(line[1]), Number(line[2])];
  return { bytes: bytes - 14 * packets, packets };
}
