/**
 * Discarded readings, which the server does not accept even alone, and values too large for a datagram. Counts
 * them, reports the readings as lost and logs each once.
 */

import { logEvent } from '../events/catalogue.ts';
import { BoundedSet } from '../model/bounded-set.ts';
import type { LossReason } from '../model/loss-report.ts';
import type { Reading } from '../model/reading.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';

export interface DiscardedReadingsPorts {
  readonly outbox: Outbox;
  readonly log: Logger;
}

/** Readings remembered, so that one that returns after a rewind is not reported twice. */
const RECENT_MAX = 256;

export class DiscardedReadings {
  readonly #ports: DiscardedReadingsPorts;
  readonly #loggedOversized = new Set<string>();
  readonly #recent = new BoundedSet<string>(RECENT_MAX);
  #count = 0;

  constructor(ports: DiscardedReadingsPorts) {
    this.#ports = ports;
  }

  /** Readings since start. */
  get count(): number {
    return this.#count;
  }

  /** Logs each key once: it will be too large in every reading. `bytesMax`: of a body. */
  logOversized(keys: readonly string[], bytesMax: number): void {
    const newKeys = keys.filter((key) => !this.#loggedOversized.has(key));
    if (newKeys.length === 0) return;
    for (const key of newKeys) this.#loggedOversized.add(key);
    logEvent(this.#ports.log, 'FL-VALUE-TOO-LARGE', { keys: newKeys.join(','), bytesMax });
  }

  /**
   * Counts, reports and logs a discarded reading. The outbox then asks for a snapshot, because deltas build
   * on it.
   */
  add(reading: Reading, reason: LossReason): void {
    const { log, outbox } = this.#ports;
    const key = `${reading.bootId} ${reading.bootMs}`;
    if (this.#recent.has(key)) return;
    this.#recent.add(key);
    this.#count += 1;
    if (reading.gap) {
      // Reported again, it would be rejected again, without end.
      return logEvent(log, 'FL-GAP-RECORD-REJECTED', reading.values);
    }
    outbox.discardReading(reading, reason);
    logEvent(log, reason === 'refused' ? 'FL-READING-REJECTED' : 'FL-READING-MALFORMED', {
      rejectedReadings: this.#count,
    });
  }
}
