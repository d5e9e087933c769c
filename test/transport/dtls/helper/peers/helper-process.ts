/** The helper as a process, for tests: writes frames to it, and waits for the frames that it writes. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { dtlsFrontProblem } from '../../../../../src/sandbox/coaps/dtls-front.ts';
import { HELPER_PROTOCOL } from '../../../../../src/transport/dtls/helper-process.ts';
import { opensslProblem } from '../../../../doubles/certificates.ts';
import { PROJECT } from '../../../../paths.ts';

/** FIRSTLIGHT_DTLS names another one, with sanitizers. */
export const HELPER = process.env['FIRSTLIGHT_DTLS'] ?? join(PROJECT, 'dist', 'firstlight-dtls');

/** For the option `skip` of a test. */
export const helperProblem: string | false = existsSync(HELPER)
  ? false
  : 'the DTLS helper is not compiled: npm run build needs gcc and libssl-dev for it';
export const frontProblem: string | false = helperProblem || opensslProblem || (dtlsFrontProblem() ?? false);

const WAIT_MS_MAX = 10_000;
const HEADER_BYTES = 5;

export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

export interface Target {
  readonly port: number;
  readonly address?: string;
  /** What the certificate must name; default `localhost`. */
  readonly name?: string;
  /** Does not resume the last session. */
  readonly isFull?: boolean;
}

export function frame(type: string, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(type, 'latin1');
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

export function openFrame({ port, address = '127.0.0.1', name = 'localhost', isFull }: Target): Buffer {
  const flags = Buffer.from([isFull ? 1 : 0, port >> 8, port & 255]);
  return frame('O', Buffer.concat([flags, Buffer.from(`${address}\0${name}`)]));
}

export class HelperProcess implements AsyncDisposable {
  readonly stream: Duplex;
  readonly #child: ChildProcess;
  readonly #frames: Frame[] = [];
  readonly #exited: Promise<number | null>;
  #input = Buffer.alloc(0);
  #wake: () => void = () => {};
  complaint = '';

  constructor(program = HELPER) {
    this.#child = spawn(program, [`--protocol=${HELPER_PROTOCOL}`], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: {},
    });
    this.stream = this.#child.stdio[3] as Duplex;
    this.stream.on('error', () => {}); // It has exited.
    this.stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.complaint += bytes.toString();
    });
    this.#exited = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Of the process, for its memory. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  write(bytes: Buffer): void {
    this.stream.write(bytes);
  }

  send(text: string | Buffer): void {
    this.write(frame('D', text));
  }

  /** Begins a handshake and waits for its result: `U`, or the code of `F`. */
  async open(target: Target): Promise<string> {
    this.write(openFrame(target));
    for (;;) {
      const { type, payload } = await this.next();
      if (type === 'U') return payload[0] === 1 ? 'resumed' : 'full';
      if (type === 'F') return payload.subarray(0, payload.indexOf(0)).toString();
    }
  }

  /** The next frame of one of these types; others are dropped. Rejects after 10 s. */
  async next(types = 'UFDX', waitMs = WAIT_MS_MAX): Promise<Frame> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const found = this.#frames.shift();
      if (found && types.includes(found.type)) return found;
      if (found) continue;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`no frame ${types} within ${waitMs} ms ${this.complaint}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Closes the stream and waits for the exit code. */
  end(): Promise<number | null> {
    this.stream.end();
    return this.#exited;
  }

  get exited(): Promise<number | null> {
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #take(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    while (this.#input.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#input.readUInt32BE(1);
      if (this.#input.length < end) break;
      const type = this.#input.toString('latin1', 0, 1);
      this.#frames.push({ type, payload: this.#input.subarray(HEADER_BYTES, end) });
      this.#input = this.#input.subarray(end);
    }
    this.#wake();
  }
}

/** For the option `skip`: false if the program can be started. */
export function programProblem(program: string, remedy: string): string | false {
  return spawnSync(program, ['--version']).error === undefined
    ? false
    : `${program} is not installed: ${remedy}`;
}
