/**
 * A transport over real sockets in virtual time: the time stands still while a request is in flight. So a run of hours takes
 * seconds, and its deadlines do not depend on the speed of the machine.
 */

import type { Transport } from '../../src/core/ports/transport.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class PacedTransport implements Transport {
  readonly #transport: Transport;
  readonly #clock: VirtualClock;
  #inFlight = 0;

  constructor(transport: Transport, clock: VirtualClock) {
    this.#transport = transport;
    this.#clock = clock;
  }

  provision: Transport['provision'] = (request, persist, signal) =>
    this.#count(this.#transport.provision(request, persist, signal));
  probe: Transport['probe'] = (token, signal) => this.#count(this.#transport.probe(token, signal));
  bodyBytesMax: Transport['bodyBytesMax'] = (token) => this.#transport.bodyBytesMax(token);
  postTelemetry: Transport['postTelemetry'] = (token, body, signal) =>
    this.#count(this.#transport.postTelemetry(token, body, signal));
  postAttributes: Transport['postAttributes'] = (token, body, signal) =>
    this.#count(this.#transport.postAttributes(token, body, signal));

  // A subscription is in flight for ever, so it does not stop the time.
  listen: Transport['listen'] = (...call) => this.#transport.listen(...call);
  downloadChunk: Transport['downloadChunk'] = (...call) =>
    this.#count(this.#transport.downloadChunk(...call));
  reply: Transport['reply'] = (...call) => this.#count(this.#transport.reply(...call));

  /** Lets `ms` pass, or less if `isOver` returns true in between. */
  async advance(ms: number, isOver: () => boolean = () => false): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + ms;
    let isPassed = false;
    const mark = this.#clock.sleep(ms, new AbortController().signal).then(() => {
      isPassed = true;
    });
    while (!isPassed && !isOver()) {
      await this.#settle();
      if (!(await this.#clock.advanceToNext())) break;
    }
    await this.#settle();
    if (this.#clock.monotonicMs() >= untilMs) await mark;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }

  async #settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#inFlight > 0);
  }

  async #count<T>(request: Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return await request;
    } finally {
      this.#inFlight -= 1;
    }
  }
}
