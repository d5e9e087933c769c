/** Logs each event once per process, so that a failing disk does not flood the log. */

import { type EventId, logEvent } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { LogFields, Logger } from '../../core/ports/log.ts';

export class OnceLog {
  readonly #log: Pick<Logger, EventLevel>;
  readonly #logged = new Set<EventId>();

  constructor(log: Pick<Logger, EventLevel>) {
    this.#log = log;
  }

  logEvent(id: EventId, fields: LogFields): void {
    if (this.#logged.has(id)) return;
    this.#logged.add(id);
    logEvent(this.#log, id, fields);
  }
}
