/** A helper program in this process: it speaks the frames, and a test decides what it answers. */

import type { LinkRequest } from '../../../src/transport/dtls/frames.ts';
import type { HelperEnd, HelperListener, StartHelper } from '../../../src/transport/dtls/helper-process.ts';

export class ScriptedHelper {
  /** Handshakes asked for. */
  readonly opened: LinkRequest[] = [];
  /** Plain text that it was to send, over any link. */
  readonly datagrams: Buffer[] = [];
  /** PEM by the letter of the frame. */
  readonly credentials = new Map<string, string>();
  quits = 0;
  isClosed = false;
  readonly #listener: HelperListener;
  readonly #script: HelperScript;
  #buffered = Buffer.alloc(0);

  constructor(listener: HelperListener, script: HelperScript) {
    this.#listener = listener;
    this.#script = script;
  }

  write(frames: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, frames]);
    while (this.#buffered.length >= 5) {
      const length = this.#buffered.readUInt32BE(1);
      if (this.#buffered.length < 5 + length) return;
      const type = this.#buffered.toString('latin1', 0, 1);
      const payload = Buffer.from(this.#buffered.subarray(5, 5 + length));
      this.#buffered = this.#buffered.subarray(5 + length);
      this.#take(type, payload);
    }
  }

  close(): void {
    this.isClosed = true;
  }

  /** The link is up. */
  up({ isResumed = false, leaf = Buffer.alloc(0) } = {}): void {
    this.emit('U', Buffer.concat([Buffer.from([isResumed ? 1 : 0]), leaf]));
  }

  fail(code: string): void {
    this.emit('F', Buffer.concat([Buffer.from(`${code}\0`), Buffer.alloc(4)]));
  }

  receive(text: string | Buffer): void {
    this.emit('D', Buffer.from(text));
  }

  down(code: string): void {
    this.emit('X', Buffer.from(code));
  }

  die(detail = 'was ended by SIGKILL', cause: HelperEnd['cause'] = 'ended'): void {
    this.isClosed = true;
    this.#listener.onEnd({ cause, detail });
  }

  emit(type: string, payload: Buffer): void {
    const header = Buffer.alloc(5);
    header.write(type, 'latin1');
    header.writeUInt32BE(payload.length, 1);
    this.#listener.onBytes(Buffer.concat([header, payload]));
  }

  #take(type: string, payload: Buffer): void {
    if (type === 'D') {
      this.datagrams.push(payload);
      queueMicrotask(() => this.#script.onDatagram(this, payload));
    } else if (type === 'Q') this.quits += 1;
    else if (type !== 'O') this.credentials.set(type, payload.toString());
    else {
      const [address = '', serverName = ''] = payload.toString('utf8', 3).split('\0');
      this.opened.push({ address, serverName, port: payload.readUInt16BE(1), isFull: payload[0] === 1 });
      // As from another process: never within the call that asked for it.
      queueMicrotask(() => this.#script.onOpen(this));
    }
  }
}

/** Starts scripted helpers and remembers them. */
export class HelperScript {
  readonly helpers: ScriptedHelper[] = [];
  /** What a helper does when it is to open a link; default: it succeeds. */
  onOpen: (helper: ScriptedHelper) => void = (helper) => helper.up();

  /** What the server does with a datagram; default: it is silent. */
  onDatagram: (helper: ScriptedHelper, bytes: Buffer) => void = () => {};

  readonly start: StartHelper = (listener) => {
    const helper = new ScriptedHelper(listener, this);
    this.helpers.push(helper);
    return helper;
  };

  /** The helper that was started last. */
  get last(): ScriptedHelper {
    const helper = this.helpers.at(-1);
    if (!helper) throw new Error('no helper was started');
    return helper;
  }

  /** All handshakes asked for, of all helpers. */
  get opened(): readonly LinkRequest[] {
    return this.helpers.flatMap(({ opened }) => opened);
  }
}
