/** Says each event once in the life of a process: a dying card would otherwise fill the journal with one line. */

import { type EventId, tell } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { LogFields, Logger } from '../../core/ports/log.ts';

export class OnceLog {
  readonly #log: Pick<Logger, EventLevel>;
  readonly #said = new Set<EventId>();

  constructor(log: Pick<Logger, EventLevel>) {
    this.#log = log;
  }

  tell(id: EventId, fields: LogFields): void {
    if (this.#said.has(id)) return;
    this.#said.add(id);
    tell(this.#log, id, fields);
  }
}
