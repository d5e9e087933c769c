/**
 * Every sensor there is, in the order of the table an operator reads, and every key they may deliver.
 *
 * A new sensor is a new file and one line here.
 */

import type { CatalogueEntry, Collector, Unit } from './collector.ts';
import { cpu } from './cpu.ts';
import { filesystem } from './filesystem.ts';
import { entryFor } from './guard.ts';
import { hwmon } from './hwmon.ts';
import { iio } from './iio.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { network } from './network.ts';
import { onewire } from './onewire.ts';
import { pi } from './pi.ts';
import { processes } from './processes.ts';
import { rtc } from './rtc.ts';
import { supply } from './supply.ts';
import { temperature } from './temperature.ts';
import { thermal } from './thermal.ts';
import { uptime } from './uptime.ts';
export const collectors: readonly Collector[] = [
  cpu,
  load,
  temperature,
  memory,
  filesystem,
  network,
  uptime,
  processes,
  pi,
  thermal,
  hwmon,
  iio,
  onewire,
  supply,
  rtc,
];

export const catalogue: readonly CatalogueEntry[] = collectors.flatMap((collector) => collector.catalogue);

/** What a delivered key means, its unit and its bounds. */
export function describeKey(key: string): CatalogueEntry | undefined {
  return entryFor(catalogue, key);
}

/** What a delivered number counts; nothing for a flag, a text and a key that is not ours. */
export function unitOf(key: string): Unit {
  const entry = describeKey(key);
  return entry?.type === 'number' ? entry.unit : '';
}
