/** What an operator hears of the disk: each change once, however often the disk is asked in between. */

import type { Logger } from '../core/ports.ts';
import type { OutboxError } from './reading-store.ts';

export class DiskNews {
  readonly #log: Logger;
  #isRefused = false;
  #isSpooling = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The disk took so many readings. */
  took(readings: number): void {
    if (this.#isRefused) this.#log.info('the disk takes readings again', { readings });
    this.#isRefused = false;
    if (this.#isSpooling) return;
    this.#isSpooling = true;
    this.#log.info('readings that the server has not taken yet are kept on the disk', { readings });
  }

  refused(error: OutboxError): void {
    const fields = { seen: error.message, code: error.code };
    if (this.#isRefused) return this.#log.debug('the disk still does not take readings', fields);
    this.#isRefused = true;
    this.#log.error(
      'the disk does not take the readings that wait; they are kept in memory, where a restart would lose them: check space, rights and health of the state directory',
      fields,
    );
  }

  /** Nothing waits any more but what is fresh. */
  drained(): void {
    this.#isSpooling = false;
    this.#log.info('everything that waited is delivered');
  }
}
