/**
 * A journal on a virtual clock that keeps the lines it wrote; and fields as careless code would pass them.
 */

import { Writable } from 'node:stream';
import type { LogFields } from '../../../src/core/ports/log.ts';
import { type Journal, type JournalOptions, openJournal } from '../../../src/host/log/logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const AT = Date.UTC(2026, 10, 21, 10, 0, 0, 7);

export class Bench {
  readonly clock = new VirtualClock(AT);
  readonly journal: Journal;
  #written = '';

  constructor(options: Partial<JournalOptions> = {}) {
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        this.#written += String(chunk);
        done();
      },
    });
    const defaults = { level: 'debug', format: 'text', journal: true, clock: this.clock, stream } as const;
    this.journal = openJournal({ ...defaults, ...options });
  }

  get lines(): readonly string[] {
    return this.#written.split('\n').slice(0, -1);
  }
}

/** Past the compiler. */
export function careless(fields: Readonly<Record<string, unknown>>): LogFields {
  const slipped: object = fields;
  return slipped as LogFields;
}
