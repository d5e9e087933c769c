/**
 * The event history for the status: the last events, each once with its latest occurrence, the count of each since
 * start, and the lasting problems that are open. A repeated event pushes no other one away.
 *
 * The logger feeds it with redacted text. Bounds: ten events, one counter and at most one open problem per
 * event id.
 */

import { type EventId, RESOLVED_BY } from '../events/catalogue.ts';
import type { EventLevel } from '../events/definition.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from './report.ts';

const RECENT_MAX = 10;
/** Of `detail`; the log line has it in full. */
const DETAIL_CHARACTERS_MAX = 200;

export class EventHistory {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #counts = new Map<EventId, number>();
  readonly #active = new Map<EventId, RecordedEvent>();
  readonly #listeners = new Set<() => void>();
  #recent: readonly RecordedEvent[] = [];

  constructor(clock: Pick<Clock, 'bootMs'>) {
    this.#clock = clock;
  }

  /** The latest occurrence of the newest events, the oldest of them first. */
  get recent(): readonly RecordedEvent[] {
    return this.#recent;
  }

  /** Open problems in the order in which they began; outages of the session are in the status instead. */
  get active(): readonly RecordedEvent[] {
    return [...this.#active.values()];
  }

  /** Occurrences of each event since start. */
  get counts(): Readonly<Partial<Record<EventId, number>>> {
    return Object.fromEntries(this.#counts);
  }

  /** Calls `onEvent` after each event, until the subscription is disposed of. */
  subscribe(onEvent: () => void): Disposable {
    this.#listeners.add(onEvent);
    return { [Symbol.dispose]: () => this.#listeners.delete(onEvent) };
  }

  record(event: EventId, level: EventLevel, message: string, detail?: string): void {
    const bootMs = Math.round(this.#clock.bootMs());
    const details = detail === undefined ? {} : { detail: detail.slice(0, DETAIL_CHARACTERS_MAX) };
    const entry: RecordedEvent = { event, level, message, ...details, bootMs };
    this.#recent = [...this.#recent.filter((other) => other.event !== event), entry].slice(-RECENT_MAX);
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
    for (const id of this.#active.keys()) if (RESOLVED_BY[id]?.includes(event)) this.#active.delete(id);
    if (RESOLVED_BY[event] !== undefined && !this.#active.has(event)) this.#active.set(event, entry);
    for (const onEvent of this.#listeners) onEvent();
  }
}
