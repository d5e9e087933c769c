/**
 * One helper process and its link.
 *
 *   idle ── open ─▶ shaking-hands ── up ─▶ up ── down, or another open ─▶ …
 *                         └── failed ─▶ idle
 *
 * A frame does not say to which link it belongs: after an open the frames of the link before may still be on the way.
 * They are ignored until the handshake has a result.
 */

import type { TlsSettings } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import {
  credentialFrames,
  datagramFrame,
  FrameReader,
  type HelperEvent,
  type LinkRequest,
  openFrame,
  quitFrame,
} from './frames.ts';
import type { HelperChannel, HelperEnd, StartHelper } from './helper-process.ts';

/** The socket that uses the helper. */
export interface LinkOwner {
  onHelperEvent(event: HelperEvent): void;
  /** The helper has ended, or another socket uses it now. */
  onHelperLost(end: HelperEnd | undefined): void;
}

export class DtlsHelper {
  readonly startedMs: number;
  readonly #reader = new FrameReader();
  readonly #channel: HelperChannel;
  readonly #onEnd: (end: HelperEnd) => void;
  #state: 'idle' | 'shaking-hands' | 'up' = 'idle';
  #owner: LinkOwner | undefined;
  #isEnded = false;

  constructor(
    start: StartHelper,
    { ca, client }: TlsSettings,
    clock: Pick<Clock, 'monotonicMs'>,
    onEnd: (end: HelperEnd) => void,
  ) {
    this.startedMs = clock.monotonicMs();
    this.#onEnd = onEnd;
    this.#channel = start({
      onBytes: (chunk) => this.#onBytes(chunk),
      onEnd: (end) => this.#finish(end),
    });
    const credentials = credentialFrames({
      ...(ca !== undefined && { ca }),
      ...(client && { client: { cert: client.cert, key: client.key.reveal() } }),
    });
    if (credentials.length > 0) this.#channel.write(credentials, false);
  }

  get state(): 'idle' | 'shaking-hands' | 'up' {
    return this.#state;
  }

  isOwnedBy(owner: LinkOwner): boolean {
    return this.#owner === owner;
  }

  /** For a handshake, which follows at once. */
  moveTo(owner: LinkOwner): void {
    const previous = this.#owner;
    this.#owner = owner;
    this.#state = 'shaking-hands';
    if (previous && previous !== owner) previous.onHelperLost(undefined);
  }

  /** Begins a handshake on a new socket; the owner gets its result. */
  open(request: LinkRequest): void {
    this.#channel.write(openFrame(request), false);
  }

  send(datagram: Buffer): void {
    this.#channel.write(datagramFrame(datagram), true);
  }

  /** Ends the link, not the helper; not during a handshake. */
  quit(): void {
    this.#owner = undefined;
    this.#state = 'idle';
    this.#channel.write(quitFrame(), false);
  }

  /** Ends the helper, without a word to its owner. */
  close(): void {
    this.#owner = undefined;
    this.#isEnded = true;
    if (this.#state === 'up') this.#channel.write(quitFrame(), false);
    this.#channel.close();
  }

  #onBytes(chunk: Buffer): void {
    if (this.#isEnded) return;
    const events = this.#reader.push(chunk);
    if (events === 'invalid') {
      this.#channel.close();
      return this.#finish({ cause: 'ended', detail: 'the helper program sent an invalid frame' });
    }
    for (const event of events) this.#onEvent(event);
  }

  #onEvent(event: HelperEvent): void {
    const isResult = event.type === 'up' || event.type === 'failed';
    // See the file header; and what arrives after `quit`.
    if (isResult !== (this.#state === 'shaking-hands') || (!isResult && this.#state !== 'up')) return;
    if (event.type === 'up') this.#state = 'up';
    else if (event.type !== 'datagram') this.#state = 'idle';
    this.#owner?.onHelperEvent(event);
  }

  #finish(end: HelperEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#state = 'idle';
    const owner = this.#owner;
    this.#owner = undefined;
    this.#onEnd(end);
    owner?.onHelperLost(end);
  }
}
