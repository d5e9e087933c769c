/**
 * What an operator can change about collectors: selected keys, intervals, and how values are transformed
 * (transform.ts).
 */

import type { SensorTuning } from '../../core/model/config.ts';
import { EVERYTHING, isSelected, type Selection } from '../../core/model/sensor-selection.ts';
import type { Collector, KeyFilter } from './collector.ts';
import { entryFor } from './collector-runner.ts';

export type Tuning = SensorTuning;

/** Every key, each collector at its own interval, values unchanged. */
export const DEFAULT_TUNING: Tuning = {
  selection: EVERYTHING,
  everyMs: new Map(),
  rename: new Map(),
  scale: new Map(),
  offset: new Map(),
};

/** A host has fewer keys. */
const CACHED_KEYS_MAX = 256;

/** The filter for the keys of one collector. A key outside its catalogue is never selected. */
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

/** Whether any key of the collector is selected. */
export function hasSelectedKey(collector: Collector, isSelected: KeyFilter): boolean {
  return collector.catalogue.some(({ key }) => isSelected(key));
}
