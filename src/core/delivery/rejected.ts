/**
 * What was set aside: readings the server does not take by themselves, and values no datagram holds. Counted, told as lost,
 * and each told to the operator once.
 */

import { tell } from '../events/catalogue.ts';
import { BoundedSet } from '../model/bounded-set.ts';
import type { LossReason } from '../model/loss-report.ts';
import type { Reading } from '../model/reading.ts';
import type { Logger } from '../ports/log.ts';
import type { Outbox } from '../ports/outbox.ts';
import { BODY_BYTES_MAX } from './encode.ts';

export interface SetAsidePorts {
  readonly outbox: Outbox;
  readonly log: Logger;
}

/** Readings remembered: one that comes again, because its lane took it back, is not told again. */
const REMEMBERED_MAX = 256;

export class SetAside {
  readonly #ports: SetAsidePorts;
  readonly #oversizedTold = new Set<string>();
  readonly #givenUp = new BoundedSet<string>(REMEMBERED_MAX);
  #count = 0;

  constructor(ports: SetAsidePorts) {
    this.#ports = ports;
  }

  /** Readings since start. */
  get count(): number {
    return this.#count;
  }

  /** Once for each key: it will be too large at every reading. */
  tellOversized(keys: readonly string[]): void {
    const fresh = keys.filter((key) => !this.#oversizedTold.has(key));
    if (fresh.length === 0) return;
    for (const key of fresh) this.#oversizedTold.add(key);
    tell(this.#ports.log, 'FL-VALUE-TOO-LARGE', { keys: fresh.join(','), bytesMax: BODY_BYTES_MAX });
  }

  /** Counts and tells a reading given up; what comes after it in its lane lacks it, so the next sample says all. */
  lose(reading: Reading, why: LossReason): void {
    const { log, outbox } = this.#ports;
    const name = `${reading.bootId} ${reading.bootMs}`;
    if (this.#givenUp.has(name)) return;
    this.#givenUp.add(name);
    this.#count += 1;
    if (reading.gap) {
      // Told again it would be refused again, for ever.
      return tell(log, 'FL-GAP-REFUSED', reading.values);
    }
    outbox.loseReading(reading, why);
    tell(log, why === 'refused' ? 'FL-READING-REFUSED' : 'FL-READING-MALFORMED', { setAside: this.#count });
  }
}
