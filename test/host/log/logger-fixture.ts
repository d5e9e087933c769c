/** A logger on a virtual clock that keeps the lines it wrote, and fields that bypass the type check. */

import { Writable } from 'node:stream';
import type { LogFields } from '../../../src/core/ports/log.ts';
import { type HostLogger, type HostLoggerOptions, openLogger } from '../../../src/host/log/logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const AT = Date.UTC(2026, 10, 21, 10, 0, 0, 7);

export class LoggerFixture {
  readonly clock = new VirtualClock(AT);
  readonly logger: HostLogger;
  #written = '';

  constructor(options: Partial<HostLoggerOptions> = {}) {
    const stream = new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        this.#written += String(chunk);
        done();
      },
    });
    const defaults = { level: 'debug', format: 'text', isJournald: true, clock: this.clock, stream } as const;
    this.logger = openLogger({ ...defaults, ...options });
  }

  get lines(): readonly string[] {
    return this.#written.split('\n').slice(0, -1);
  }
}

/** Fields that the compiler would reject. */
export function uncheckedFields(fields: Readonly<Record<string, unknown>>): LogFields {
  const unchecked: object = fields;
  return unchecked as LogFields;
}
