/**
 * Starts the DTLS front, the C program beside this file: it ends DTLS for all clients and forwards their datagrams to
 * the CoAP port, each client's from a port of its own. `npm run build` compiles it where a C compiler and libssl are.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** dist/firstlight-dtls-front. */
const PROGRAM = join(import.meta.dirname, '..', '..', '..', 'firstlight-dtls-front');
const PORTS_MAX = 65_536;

/** Why the front cannot start on this host; undefined if it can. */
export function dtlsFrontProblem(): string | undefined {
  return existsSync(PROGRAM)
    ? undefined
    : 'the DTLS front is not compiled: npm run build needs gcc and libssl-dev for it';
}

export interface DtlsFrontOptions {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  readonly coapPort: number;
  /** Default 127.0.0.1. */
  readonly coapHost?: string;
  /** PEM: the certificate and its intermediates; its key. */
  readonly certFile: string;
  readonly keyFile: string;
}

export class DtlsFront implements AsyncDisposable {
  readonly port: number;
  /** Completed handshakes, and how many of them resumed a session. */
  readonly handshakes = { all: 0, resumed: 0 };
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #certificates = new Map<number, string>();

  private constructor(child: ChildProcess, port: number, exited: Promise<void>) {
    this.#child = child;
    this.port = port;
    this.#exited = exited;
  }

  /** Rejects if the program is not compiled, the port is in use or a file is not valid. */
  static async start(options: DtlsFrontOptions): Promise<DtlsFront> {
    const problem = dtlsFrontProblem();
    if (problem !== undefined) throw new Error(problem);
    const { host = '127.0.0.1', port, coapHost = '127.0.0.1', coapPort, certFile, keyFile } = options;
    const child = spawn(PROGRAM, [host, String(port), coapHost, String(coapPort), certFile, keyFile], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {}); // It has exited.
    let complaint = '';
    child.stderr.on('data', (bytes: Buffer) => {
      complaint = `${complaint}${bytes}`.slice(0, 500);
    });
    return new Promise((resolve, reject) => {
      let front: DtlsFront | undefined;
      const exited = new Promise<void>((done) => child.once('close', () => done()));
      child.once('error', reject);
      void exited.then(() => reject(new Error(`the DTLS front cannot start: ${complaint.trim()}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [word, number, ...rest] = line.split(' ');
        if (word === 'client' && front) return front.#addClient(Number(number), rest);
        front = new DtlsFront(child, Number(number), exited);
        resolve(front);
      });
    });
  }

  /**
   * Base64 of the DER that the client behind this port showed in a full handshake; undefined if it showed none, or
   * resumed a session (contract section 9).
   */
  certificateOf(plainPort: number): string | undefined {
    return this.#certificates.get(plainPort);
  }

  /** Forgets all links without notice to the clients. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #addClient(plainPort: number, [kind, certificate]: readonly string[]): void {
    this.handshakes.all += 1;
    if (kind === 'resumed') this.handshakes.resumed += 1;
    if (certificate === undefined || certificate === '-') this.#certificates.delete(plainPort);
    else if (plainPort < PORTS_MAX) this.#certificates.set(plainPort, certificate);
    // The front waits for it before it forwards a datagram of this client.
    this.#child.stdin?.write('.');
  }
}
