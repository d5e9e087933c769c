/** Starts third-party programs such as nginx for a test, on their own ports, with the helpers around them. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxyAddress } from '../../../../src/core/model/config.ts';
import { Secret } from '../../../../src/core/model/secret.ts';
import { hostClock } from '../../../../src/host/clock/clock.ts';
import { openSandbox, type Sandbox } from '../../../../src/sandbox/sandbox.ts';
import { HttpTransport } from '../../../../src/transport/http/transport.ts';
import { opensslProblem, type Pem } from '../../../doubles/certificates.ts';
import { RecordingLogger } from '../../../doubles/recording-logger.ts';
import { until } from '../../../until.ts';

export const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
export const neverAborted = new AbortController().signal;
export const clock = hostClock();

export const missing = (program: string) =>
  spawnSync(program, ['-v']).error === undefined ? false : `${program} is not installed`;
export const noNginx = opensslProblem || missing('nginx');

export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isThere = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isThere;
}

/** A program with its own directory, stopped with the test. */
export class Program implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-foreign-'));
  #child: ChildProcess | undefined;

  constructor() {
    // Some programs switch to another user, who must be able to read it.
    chmodSync(this.directory, 0o777);
  }

  async start(commandLine: readonly [string, ...string[]], port: number): Promise<void> {
    const [program, ...rest] = commandLine;
    this.#child = spawn(program, rest, { stdio: 'ignore' });
    await until(
      () => isListening(port),
      () => `${program} listens at port ${port}`,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Process IDs of its children. */
  get workers(): readonly string[] {
    const pid = this.#child?.pid ?? 0;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface NginxOptions {
  readonly port: number;
  /** The port of the plain server behind it. */
  readonly behind: number;
  readonly pem: Pem;
  /** Further directives of the server block. */
  readonly more?: string;
}

/** Writes the configuration and returns the command line. */
export function writeNginxConfig(
  nginx: Program,
  { port, behind, pem, more = '' }: NginxOptions,
): [string, ...string[]] {
  const file = join(nginx.directory, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${nginx.directory}/${name};`,
  );
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${nginx.directory}/pid; error_log ${nginx.directory}/error.log;
     events { worker_connections 64; }
     http { access_log off; ${paths.join(' ')} server { listen 127.0.0.1:${port} ssl;
       ssl_certificate ${pem.certFile}; ssl_certificate_key ${pem.keyFile}; ${more}
       location / { proxy_pass http://127.0.0.1:${behind}; proxy_read_timeout 1s; proxy_http_version 1.1; } } }`,
  );
  return ['nginx', '-c', file, '-e', `${nginx.directory}/error.log`];
}

export interface TransportOptions {
  readonly scheme?: 'http' | 'https';
  readonly port: number;
  readonly ca?: string;
  readonly pins?: readonly string[];
  readonly proxy?: ProxyAddress;
  readonly patienceMs?: number;
}

export function transportTo({
  scheme = 'https',
  port,
  ca,
  pins = [],
  proxy,
  patienceMs = 5_000,
}: TransportOptions) {
  return new HttpTransport(
    {
      scheme,
      host: 'localhost',
      port,
      tls: { pins, ...(ca !== undefined && { ca }) },
      userAgent: 'firstlight/test',
      ...(proxy && { proxy }),
    },
    { clock, log: new RecordingLogger(), timeouts: { requestMs: patienceMs, provisioningMs: patienceMs } },
  );
}

let ts = 0;
/** Posts a unique reading. */
export async function post(
  transport: HttpTransport,
  kind: 'dated' | 'undated' = 'dated',
): Promise<{ readonly body: string; readonly reason: string; readonly detail: string }> {
  ts += 1;
  const body = kind === 'dated' ? `[{"ts":${ts},"values":{"n":${ts}}}]` : `[{"n":${ts}}]`;
  const result = await transport.postTelemetry(TOKEN, body, neverAborted);
  return result.ok ? { body, reason: 'ok', detail: '' } : { body, ...result.failure };
}

/** A sandbox with one device, whose token is TOKEN. */
export async function sandboxWithDevice(): Promise<Sandbox> {
  const sandbox = await openSandbox({ provisioning: { key: 'pk1', secret: 'ps1' } });
  sandbox.core.admin.createDevice({ name: 'gw', token: TOKEN.reveal() });
  return sandbox;
}

export interface Upstream extends AsyncDisposable {
  readonly port: number;
  /** The body of each request, in order. */
  readonly bodies: readonly string[];
  /** Answers each later request. */
  answer: (socket: Socket, body: string) => void;
}

/** A TCP server that reads HTTP requests and lets `answer` write the bytes of the response. */
export async function openUpstream(answer: Upstream['answer']): Promise<Upstream> {
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const [, head = '', body = ''] = /^(.*?\r\n\r\n)(.*)$/s.exec(received) ?? [];
      if (head === '' || body.length < Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)) return;
      received = '';
      bodies.push(body);
      upstream.answer(socket, body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: Upstream = {
    port: (server.address() as AddressInfo).port,
    bodies,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return upstream;
}

/** ThingsBoard's response to an accepted post. */
export const ACCEPTED = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
