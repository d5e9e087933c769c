/**
 * Tuning: what an operator may change about the collectors without writing one. Which keys, how often (0 ms: with each
 * reading), and what becomes of the values (retouch.ts).
 */

import type { SensorTuning } from '../../core/model/config.ts';
import { EVERYTHING, isSelected, type Selection } from '../../core/model/selection.ts';
import type { Collector, KeyFilter } from './collector.ts';
import { entryFor } from './collector-runner.ts';

export type Tuning = SensorTuning;

/** Every key, each collector at its own interval, as it is read. */
export const DEFAULT_TUNING: Tuning = {
  selection: EVERYTHING,
  everyMs: new Map(),
  rename: new Map(),
  scale: new Map(),
  offset: new Map(),
};

/** Keys of which the answer is remembered; a host has fewer. */
const CACHED_KEYS_MAX = 256;

/** What is wanted of one collector. A key that is not in its catalogue never is. */
export function keyFilterFor(collector: Collector, selection: Selection): KeyFilter {
  const selectedKeys = new Map<string, boolean>();
  return (key) => {
    const cached = selectedKeys.get(key);
    if (cached !== undefined) return cached;
    const entry = entryFor(collector.catalogue, key);
    const selected = entry !== undefined && isSelected(selection, collector.name, key, entry.profile);
    if (selectedKeys.size >= CACHED_KEYS_MAX) selectedKeys.clear();
    selectedKeys.set(key, selected);
    return selected;
  };
}

/** Whether the collector can have anything to report at all. */
export function hasSelectedKey(collector: Collector, isSelected: KeyFilter): boolean {
  return collector.catalogue.some(({ key }) => isSelected(key));
}
