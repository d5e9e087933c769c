/** Logs each change of the disk's state once: failing, writable again, spooling, drained. */

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

  /** That many readings were written. */
  onWritten(readings: number): void {
    if (this.#isFailing) logEvent(this.#log, 'FL-DISK-WRITE-RESTORED', { readings });
    this.#isFailing = false;
    if (this.#isSpooling) return;
    this.#isSpooling = true;
    logEvent(this.#log, 'FL-SPOOLING-STARTED', { readings });
  }

  onFailed(error: OutboxError): void {
    const fields = { detail: error.message, code: error.code };
    if (this.#isFailing) return this.#log.debug('the disk still cannot be written', fields);
    this.#isFailing = true;
    logEvent(this.#log, 'FL-DISK-WRITE-FAILED', fields);
  }

  /** The backlog is empty. */
  onDrained(readings: number): void {
    this.#isSpooling = false;
    logEvent(this.#log, 'FL-BACKLOG-DELIVERED', { readings });
  }
}
