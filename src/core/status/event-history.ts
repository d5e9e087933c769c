/**
 * The chronicle: what the agent has told lately, for whoever asks how it is: the last events, how often each was told since the
 * start, and the troubles that have begun and are not over.
 *
 * Fed by the journal with words that are clean of secrets. Bounds: five events, one number and at most one trouble for each id.
 */

import { ENDED_BY, type EventId } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { Clock } from '../ports/clock.ts';
import type { ToldEvent } from './report.ts';

const LAST = 5;
/** Of what was seen; a line of the journal has it all. */
const SEEN_CHARACTERS_MAX = 200;

export class Chronicle {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #counts = new Map<EventId, number>();
  readonly #open = new Map<EventId, ToldEvent>();
  #last: readonly ToldEvent[] = [];

  constructor(clock: Pick<Clock, 'bootMs'>) {
    this.#clock = clock;
  }

  /** The newest events, the oldest of them first. */
  get last(): readonly ToldEvent[] {
    return this.#last;
  }

  /** Troubles that are not over, in the order in which they began; those of the conversation are the status's. */
  get open(): readonly ToldEvent[] {
    return [...this.#open.values()];
  }

  /** How often each was told since the start. */
  get counts(): Readonly<Partial<Record<EventId, number>>> {
    return Object.fromEntries(this.#counts);
  }

  note(event: EventId, level: EventLevel, says: string, seen?: string): void {
    const bootMs = Math.round(this.#clock.bootMs());
    const words = seen === undefined ? {} : { seen: seen.slice(0, SEEN_CHARACTERS_MAX) };
    const told: ToldEvent = { event, level, says, ...words, bootMs };
    this.#last = [...this.#last, told].slice(-LAST);
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
    for (const open of this.#open.keys()) if (ENDED_BY[open]?.includes(event)) this.#open.delete(open);
    if (ENDED_BY[event] !== undefined && !this.#open.has(event)) this.#open.set(event, told);
  }
}
