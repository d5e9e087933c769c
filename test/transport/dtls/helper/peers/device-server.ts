/**
 * Foreign coaps servers as processes, each with ThingsBoard's device API for one device: libcoap-server.c and
 * ScandiumServer.java. They print one line for each request, before they answer it: `provision`, `telemetry`, `attributes`,
 * `observe` (a new observer of commands) or `reply ID`, then the body. They notify what their parent writes: `attributes JSON`
 * or `command JSON`. They end with their input.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Authority, Pem } from '../../../../doubles/certificates.ts';
import { PROJECT } from '../../../../paths.ts';
import { fetchCalifornium } from './californium.ts';

const LIBCOAP_SOURCE = join(PROJECT, 'test/transport/dtls/helper/peers/libcoap-server.c');

export interface DeviceServerSettings {
  readonly port: number;
  readonly authority: Authority;
  readonly certificate: Pem;
  /** Of the device; undefined: it has a client certificate. */
  readonly token: string | undefined;
  /** The shared attributes, JSON. */
  readonly attributes: string;
}

/** The command line of a server, or why there is none on this machine. */
export type Prepared =
  | { readonly ok: true; readonly commandLine: (settings: DeviceServerSettings) => readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** Compiles the server with one of the two builds of libcoap. */
export function prepareLibcoap(library: 'openssl' | 'gnutls', directory: string): Prepared {
  const program = join(directory, `libcoap-${library}`);
  const flags = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-O1', '-o', program];
  const { status, error, stderr } = spawnSync(
    process.env['CC'] ?? 'cc',
    [...flags, LIBCOAP_SOURCE, `-lcoap-3-${library}`],
    { encoding: 'utf8' },
  );
  if (error) return { ok: false, problem: 'there is no C compiler: apt install gcc libc6-dev' };
  if (/coap3\/\S+: No such file|cannot find -lcoap/.test(stderr))
    return { ok: false, problem: 'the headers of libcoap are missing: apt install libcoap3-dev' };
  if (status !== 0) throw new Error(stderr);
  return {
    ok: true,
    commandLine: ({ port, certificate, authority, token = '', attributes }) => [
      ...[program, String(port), certificate.certFile, certificate.keyFile],
      ...[authority.pem.certFile, token, attributes],
    ],
  };
}

/** `credentials`: a file with the certificate chain and the key of the server. */
export function prepareCalifornium(directory: string, credentials: string): Prepared {
  const fetched = fetchCalifornium(directory);
  if (!fetched.ok) return fetched;
  return {
    ok: true,
    commandLine: ({ port, token = 'no-token', attributes }) => [
      ...[...fetched.server, credentials, String(port), token, attributes],
    ],
  };
}

export interface Received {
  readonly what: string;
  readonly body: string;
}

export class DeviceServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #received: Received[];
  #wake: () => void = () => {};

  private constructor(commandLine: readonly string[], received: Received[]) {
    const [program = '', ...words] = commandLine;
    this.#received = received;
    this.#child = spawn(program, words, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdin?.on('error', () => {}); // It has ended.
    if (this.#child.stdout)
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const [, what = '', body = ''] = /^(reply \S+|\S+) ?(.*)$/.exec(line) ?? [];
        received.push({ what, body });
        this.#wake();
      });
  }

  /** Listens when it resolves. What it receives is added to `received`. */
  static async start(commandLine: readonly string[], received: Received[]): Promise<DeviceServer> {
    const server = new DeviceServer(commandLine, received);
    await server.next('listening', received.length, 60_000);
    return server;
  }

  /** The first `what` at or after this position of the list, past or future. */
  async next(
    what: string,
    position = 0,
    withinMs = 30_000,
    matches: (body: string) => boolean = () => true,
  ): Promise<string> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = this.#received.slice(position).find((each) => each.what === what && matches(each.body));
      if (found) return found.body;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || this.#child.exitCode !== null) throw new Error(`no ${what} within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  notify(what: 'attributes' | 'command', json: string): void {
    this.#child.stdin?.write(`${what} ${json}\n`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
