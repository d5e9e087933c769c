/**
 * Every sensor there is, in the order of the table an operator reads, and every key they may deliver.
 *
 * A new sensor is a new file and one line here.
 */

import { addresses } from './addresses.ts';
import { agent } from './agent.ts';
import { clock } from './clock.ts';
import type { CatalogueEntry, Collector, Unit } from './collector.ts';
import { containers } from './containers.ts';
import { cpu } from './cpu.ts';
import { drives } from './drives.ts';
import { filesystem } from './filesystem.ts';
import { flash } from './flash.ts';
import { frequency } from './frequency.ts';
import { entryFor } from './guard.ts';
import { handles } from './handles.ts';
import { hwmon } from './hwmon.ts';
import { iio } from './iio.ts';
import { load } from './load.ts';
import { memory } from './memory.ts';
import { mounts } from './mounts.ts';
import { network } from './network.ts';
import { onewire } from './onewire.ts';
import { oom } from './oom.ts';
import { pi } from './pi.ts';
import { pressure } from './pressure.ts';
import { processes } from './processes.ts';
import { route } from './route.ts';
import { rtc } from './rtc.ts';
import { services } from './services.ts';
import { supply } from './supply.ts';
import { temperature } from './temperature.ts';
import { thermal } from './thermal.ts';
import { throttle } from './throttle.ts';
import { uptime } from './uptime.ts';
import { watchdog } from './watchdog.ts';
import { wifi } from './wifi.ts';

export const collectors: readonly Collector[] = [
  cpu,
  load,
  frequency,
  temperature,
  throttle,
  memory,
  pressure,
  oom,
  filesystem,
  mounts,
  drives,
  flash,
  network,
  wifi,
  route,
  addresses,
  uptime,
  clock,
  watchdog,
  processes,
  pi,
  thermal,
  hwmon,
  iio,
  onewire,
  supply,
  rtc,
  handles,
  services,
  containers,
  agent,
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
