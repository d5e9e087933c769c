/**
 * The chronicle: what the agent has told lately, for whoever asks how it is: the last events, how often each was told since the
 * start, and the troubles that have begun and are not over.
 *
 * Fed by the journal with words that are clean of secrets. Bounds: five events, one number and at most one trouble for each id.
 */

import { type EventId, RESOLVED_BY } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from './report.ts';

const RECENT_MAX = 5;
/** Of what was seen; a line of the journal has it all. */
const DETAIL_CHARACTERS_MAX = 200;

export class EventHistory {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #counts = new Map<EventId, number>();
  readonly #active = new Map<EventId, RecordedEvent>();
  #recent: readonly RecordedEvent[] = [];

  constructor(clock: Pick<Clock, 'bootMs'>) {
    this.#clock = clock;
  }

  /** The newest events, the oldest of them first. */
  get recent(): readonly RecordedEvent[] {
    return this.#recent;
  }

  /** Troubles that are not over, in the order in which they began; those of the conversation are the status's. */
  get active(): readonly RecordedEvent[] {
    return [...this.#active.values()];
  }

  /** How often each was told since the start. */
  get counts(): Readonly<Partial<Record<EventId, number>>> {
    return Object.fromEntries(this.#counts);
  }

  record(event: EventId, level: EventLevel, message: string, detail?: string): void {
    const bootMs = Math.round(this.#clock.bootMs());
    const details = detail === undefined ? {} : { detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
    const entry: RecordedEvent = { event, level, message: message, ...details, bootMs };
    this.#recent = [...this.#recent, entry].slice(-RECENT_MAX);
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
    for (const id of this.#active.keys()) if (RESOLVED_BY[id]?.includes(event)) this.#active.delete(id);
    if (RESOLVED_BY[event] !== undefined && !this.#active.has(event)) this.#active.set(event, entry);
  }
}
