/** What an operator hears of the disk: each change once, however often the disk is asked in between. */

import { tell } from '../core/events/catalogue.ts';
import type { Logger } from '../core/ports/log.ts';
import type { OutboxError } from './store/reading-store.ts';

export class DiskNews {
  readonly #log: Logger;
  #isRefused = false;
  #isSpooling = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The disk took so many readings. */
  took(readings: number): void {
    if (this.#isRefused) tell(this.#log, 'FL-DISK-BACK', { readings });
    this.#isRefused = false;
    if (this.#isSpooling) return;
    this.#isSpooling = true;
    tell(this.#log, 'FL-SPOOLING', { readings });
  }

  refused(error: OutboxError): void {
    const fields = { seen: error.message, code: error.code };
    if (this.#isRefused) return this.#log.debug('the disk still does not take readings', fields);
    this.#isRefused = true;
    tell(this.#log, 'FL-DISK-REFUSES', fields);
  }

  /** Nothing waits any more but what is fresh. */
  drained(readings: number): void {
    this.#isSpooling = false;
    tell(this.#log, 'FL-DRAINED', { readings });
  }
}
