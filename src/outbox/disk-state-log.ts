/** What an operator hears of the disk: each change once, however often the disk is asked in between. */

import { logEvent } from '../core/events/catalogue.ts';
import type { Logger } from '../core/ports/log.ts';
import type { OutboxError } from './store/reading-store.ts';

export class DiskStateLog {
  readonly #log: Logger;
  #isFailing = false;
  #isSpooling = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** The disk took so many readings. */
  onWritten(readings: number): void {
    if (this.#isFailing) logEvent(this.#log, 'FL-DISK-WRITE-RESTORED', { readings });
    this.#isFailing = false;
    if (this.#isSpooling) return;
    this.#isSpooling = true;
    logEvent(this.#log, 'FL-SPOOLING-STARTED', { readings });
  }

  onFailed(error: OutboxError): void {
    const fields = { detail: error.message, code: error.code };
    if (this.#isFailing) return this.#log.debug('the disk still does not take readings', fields);
    this.#isFailing = true;
    logEvent(this.#log, 'FL-DISK-WRITE-FAILED', fields);
  }

  /** Nothing waits any more but what is fresh. */
  onDrained(readings: number): void {
    this.#isSpooling = false;
    logEvent(this.#log, 'FL-BACKLOG-DELIVERED', { readings });
  }
}
