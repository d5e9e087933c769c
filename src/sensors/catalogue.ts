/**
 * All built-in sensors, in the order of the reference, and every key they can deliver.
 * A new sensor is one new file and one line here.
 */

import { cpu } from './cpu/cpu.ts';
import { frequency } from './cpu/frequency.ts';
import { load } from './cpu/load.ts';
import { pressure } from './cpu/pressure.ts';
import { temperature } from './cpu/temperature.ts';
import { thermal } from './cpu/thermal.ts';
import { throttle } from './cpu/throttle.ts';
import { hwmon } from './hardware/hwmon.ts';
import { iio } from './hardware/iio.ts';
import { onewire } from './hardware/onewire.ts';
import { powerSupply } from './hardware/power-supply.ts';
import { raspberryPi } from './hardware/raspberry-pi.ts';
import { rtc } from './hardware/rtc.ts';
import { watchdog } from './hardware/watchdog.ts';
import { memory } from './memory/memory.ts';
import { oom } from './memory/oom.ts';
import { addresses } from './network/addresses.ts';
import { network } from './network/network.ts';
import { route } from './network/route.ts';
import { wifi } from './network/wifi.ts';
import type { CatalogueEntry, Collector, Unit } from './runtime/collector.ts';
import { entryFor } from './runtime/collector-runner.ts';
import { drives } from './storage/drives.ts';
import { filesystem } from './storage/filesystem.ts';
import { flash } from './storage/flash.ts';
import { mounts } from './storage/mounts.ts';
import { agent } from './system/agent.ts';
import { clock } from './system/clock.ts';
import { containers } from './system/containers.ts';
import { fileHandles } from './system/file-handles.ts';
import { processes } from './system/processes.ts';
import { services } from './system/services.ts';
import { uptime } from './system/uptime.ts';

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
  raspberryPi,
  thermal,
  hwmon,
  iio,
  onewire,
  powerSupply,
  rtc,
  fileHandles,
  services,
  containers,
  agent,
];

export const catalogue: readonly CatalogueEntry[] = collectors.flatMap((collector) => collector.catalogue);

/** Meaning, unit and bounds of a delivered key. */
export function describeKey(key: string): CatalogueEntry | undefined {
  return entryFor(catalogue, key);
}

/** The unit of a delivered number; empty for a flag, a text and a key outside the catalogue. */
export function unitOf(key: string): Unit {
  const entry = describeKey(key);
  return entry?.type === 'number' ? entry.unit : '';
}
