/**
 * A UDP socket on the virtual network: the members of `dgram.Socket` that the guard socket uses, and no
 * others.
 *
 * Callbacks come in a later microtask, as the real ones come in a later turn. After `close`, or once its
 * process has died, it sends nothing, hears nothing and calls nobody.
 */

import type { Socket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { DiskOperation } from '../doubles/power-cut-disk.ts';

export interface Carrier {
  /** Sends one datagram from `port`; what the gateway's own kernel refuses at once is returned. */
  send(port: number, bytes: Buffer): NodeJS.ErrnoException | undefined;
  /** Why no route leads to the server, if none does. */
  routeProblem(): NodeJS.ErrnoException | undefined;
  closed(port: number): void;
}

type Done = (error: Error | null) => void;

export class VirtualSocket extends EventEmitter {
  readonly port: number;
  readonly #carrier: Carrier;
  readonly #act: DiskOperation;
  #open = true;

  constructor(port: number, carrier: Carrier, act: DiskOperation) {
    super();
    this.port = port;
    this.#carrier = carrier;
    this.#act = act;
  }

  /** As the agent knows it. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  connect(_port: number, _address: string, done: (error?: Error) => void): void {
    const problem = this.#carrier.routeProblem();
    queueMicrotask(() => (problem ? done(problem) : done()));
  }

  send(bytes: Buffer, done: Done): void {
    this.#act(() => {
      const problem = this.#open ? this.#carrier.send(this.port, bytes) : undefined;
      queueMicrotask(() => done(problem ?? null));
    });
  }

  close(done?: () => void): void {
    this.#open = false;
    this.#carrier.closed(this.port);
    if (done) queueMicrotask(done);
  }

  /** A datagram has arrived, as far as this socket is concerned. */
  arrived(bytes: Buffer, from: { readonly address: string; readonly port: number }): void {
    this.#act(() => {
      if (this.#open) this.emit('message', bytes, { ...from, family: 'IPv4', size: bytes.length });
    });
  }

  /** The network reports an error about a datagram sent earlier. */
  failed(error: Error): void {
    this.#act(() => {
      if (this.#open) this.emit('error', error);
    });
  }
}
