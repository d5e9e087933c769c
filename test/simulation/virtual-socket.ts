/**
 * A UDP socket on the virtual network: only the members of `dgram.Socket` that the CoAP message layer uses.
 *
 * Callbacks run in a later microtask, as those of a real socket run in a later turn. After `close`, or when
 * its process has died, the socket sends and receives nothing and calls no callback.
 */

import type { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { DiskOperation } from '../doubles/power-cut/power-cut-disk.ts';

export interface Carrier {
  /**
   * Sends one datagram from `port`. Returns the error that the kernel of the gateway reports at once, if any.
   */
  send(port: number, bytes: Buffer): NodeJS.ErrnoException | undefined;
  /** The error if there is no route to the server. */
  routeProblem(): NodeJS.ErrnoException | undefined;
  closed(port: number): void;
}

type Callback = (error: Error | null) => void;

export class VirtualSocket extends EventEmitter {
  readonly port: number;
  readonly #carrier: Carrier;
  readonly #act: DiskOperation;
  #isOpen = true;

  constructor(port: number, carrier: Carrier, act: DiskOperation) {
    super();
    this.port = port;
    this.#carrier = carrier;
    this.#act = act;
  }

  /** The socket as the type that the agent uses. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  connect(_port: number, _address: string, done: (error?: Error) => void): void {
    const problem = this.#carrier.routeProblem();
    queueMicrotask(() => (problem ? done(problem) : done()));
  }

  send(bytes: Buffer, done: Callback): void {
    this.#act(() => {
      const problem = this.#isOpen ? this.#carrier.send(this.port, bytes) : undefined;
      queueMicrotask(() => done(problem ?? null));
    });
  }

  close(done?: () => void): void {
    this.#isOpen = false;
    this.#carrier.closed(this.port);
    if (done) queueMicrotask(done);
  }

  /** Delivers a datagram. */
  receive(bytes: Buffer, from: { readonly address: string; readonly port: number }): void {
    this.#act(() => {
      if (this.#isOpen) this.emit('message', bytes, { ...from, family: 'IPv4', size: bytes.length });
    });
  }

  /** The network reports an error about a datagram sent earlier. */
  fail(error: Error): void {
    this.#act(() => {
      if (this.#isOpen) this.emit('error', error);
    });
  }
}
