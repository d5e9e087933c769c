/**
 * Tuning: what an operator may change about the collectors without writing one. Which keys, how often (0 ms: with each
 * reading), and what becomes of the values (retouch.ts).
 */

import type { SensorTuning } from '../../core/model/config.ts';
import { EVERYTHING, type Selection, selects } from '../../core/model/selection.ts';
import type { Collector, Wants } from './collector.ts';
import { entryFor } from './collector-runner.ts';

export type Tuning = SensorTuning;

/** Every key, each collector at its own interval, as it is read. */
export const UNTUNED: Tuning = {
  selection: EVERYTHING,
  everyMs: new Map(),
  rename: new Map(),
  scale: new Map(),
  offset: new Map(),
};

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
