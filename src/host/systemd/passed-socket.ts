/**
 * The socket of systemd's notifications that the unit opens for the agent: `OpenFile=` (systemd 253) connects to an AF_UNIX
 * socket and passes the descriptor as sd_listen_fds(3) describes. Node cannot open such a socket, but can write to it.
 */

import { write } from 'node:fs';
import { ChildAbortController } from '../../core/async/abort.ts';
import type { Clock } from '../../core/ports/clock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The name in the unit. */
const NAME = 'notify';
/** SD_LISTEN_FDS_START. */
const FIRST_DESCRIPTOR = 3;

export class PassedSocket {
  readonly #descriptor: number;
  readonly #clock: Pick<Clock, 'sleep'>;
  #isWriting = false;

  /** Undefined if this process was not started with such a socket. */
  static of(environment: Environment, clock: Pick<Clock, 'sleep'>): PassedSocket | undefined {
    const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = environment;
    const index = names.split(':').indexOf(NAME);
    if (pid !== String(process.pid) || index < 0 || !(index < Number(count))) return undefined;
    return new PassedSocket(FIRST_DESCRIPTOR + index, clock);
  }

  private constructor(descriptor: number, clock: Pick<Clock, 'sleep'>) {
    this.#descriptor = descriptor;
    this.#clock = clock;
  }

  /**
   * Sends one datagram. False if systemd refuses it, or if it is not sent within `deadlineMs` or until the signal aborts: systemd
   * has no room, or no thread is free. It may be sent later all the same, and then `onLate` is called. Until then each later
   * message is refused at once, so that no second thread waits.
   */
  async send(text: string, deadlineMs: number, signal: AbortSignal, onLate: () => void): Promise<boolean> {
    if (this.#isWriting) return false;
    this.#isWriting = true;
    let isGivenUp = false;
    const written = new Promise<boolean>((resolve) => {
      write(this.#descriptor, text, (error) => {
        this.#isWriting = false;
        if (isGivenUp && error === null) onLate();
        resolve(error === null);
      });
    });
    using over = new ChildAbortController(signal);
    const timedOut = this.#clock.sleep(deadlineMs, over.signal).then(() => false);
    const isWritten = await Promise.race([written, timedOut]);
    isGivenUp = !isWritten;
    over.abort();
    return isWritten;
  }
}
