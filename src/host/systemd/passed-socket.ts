/**
 * The socket of systemd's notifications that the unit opens for the agent: `OpenFile=` (systemd 253) connects to an AF_UNIX
 * socket and passes the descriptor as sd_listen_fds(3) describes. Node cannot open such a socket, but can write to it.
 */

import { write } from 'node:fs';
import { WaitEnd } from '../../core/async/abort.ts';
import type { Clock } from '../../core/ports/clock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The name in the unit. */
const NAME = 'notify';
/** SD_LISTEN_FDS_START. */
const FIRST_DESCRIPTOR = 3;

export class PassedSocket {
  readonly #descriptor: number;
  readonly #clock: Pick<Clock, 'sleep'>;

  /** Undefined if this process was not started with such a socket. */
  static of(environment: Environment, clock: Pick<Clock, 'sleep'>): PassedSocket | undefined {
    const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = environment;
    const index = names.split(':').indexOf(NAME);
    if (pid !== String(process.pid) || index < 0 || index >= Number(count)) return undefined;
    return new PassedSocket(FIRST_DESCRIPTOR + index, clock);
  }

  private constructor(descriptor: number, clock: Pick<Clock, 'sleep'>) {
    this.#descriptor = descriptor;
    this.#clock = clock;
  }

  /**
   * Sends one datagram. False if systemd refuses it, or has no room for it within `deadlineMs`; then a thread waits for room,
   * and the datagram may still arrive.
   */
  async send(text: string, deadlineMs: number): Promise<boolean> {
    const written = new Promise<boolean>((resolve) => {
      write(this.#descriptor, text, (error) => resolve(error === null));
    });
    const over = new WaitEnd();
    const isWritten = await Promise.race([written, this.#clock.sleep(deadlineMs, over).then(() => false)]);
    over.abort();
    return isWritten;
  }
}
