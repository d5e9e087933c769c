/**
 * Tuning: what an operator may change about the collectors without writing one. Which keys, and how often.
 */

import { EVERYTHING, type Selection, selects } from '../core/selection.ts';
import type { Collector, Wants } from './collector.ts';
import { entryFor } from './guard.ts';

export interface Tuning {
  readonly selection: Selection;
  /** By the name of a collector: the time from one of its rounds to the next, ms, instead of its own; 0: each reading. */
  readonly everyMs: ReadonlyMap<string, number>;
}

/** Every key, each collector at its own interval. */
export const UNTUNED: Tuning = { selection: EVERYTHING, everyMs: new Map() };

/** Keys of which the answer is remembered; a host has fewer. */
const REMEMBERED_MAX = 256;

/** What is wanted of one collector. A key that is not in its catalogue never is. */
export function wantsOf(collector: Collector, selection: Selection): Wants {
  const known = new Map<string, boolean>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const entry = entryFor(collector.catalogue, key);
    const wanted = entry !== undefined && selects(selection, collector.name, key, entry.profile);
    if (known.size >= REMEMBERED_MAX) known.clear();
    known.set(key, wanted);
    return wanted;
  };
}

/** Whether the collector can have anything to report at all. */
export function isWanted(collector: Collector, wants: Wants): boolean {
  return collector.catalogue.some(({ key }) => wants(key));
}
