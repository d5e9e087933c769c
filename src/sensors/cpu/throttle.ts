/**
 * Thermal throttling of an Intel CPU since the host started. Each core has its own counter; the highest is
 * reported. Other CPUs have no such counter (for a Raspberry Pi see raspberry-pi.ts).
 */

import { ConfirmedCount } from '../devices/confirmed-count.ts';
import { Discovery } from '../devices/discovery.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';

const FOLDER = 'sys/devices/system/cpu';
const CPUS_MAX = 64;
/** The CPU throttles for at least a millisecond. */
const EVENTS_PER_S_MAX = 1000;

export const throttle: Collector = {
  name: 'throttle',
  catalogue: [
    {
      key: 'cpuThrottleCount',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 2 ** 53,
      decimals: 0,
      meaning: 'thermal throttling events since the host started, of the core that has the most',
      source: 'Documentation/ABI/testing/sysfs-devices-system-cpu, core_throttle_count',
    },
  ],
  notes: [
    'The number is absent for one sample if it is lower than before: a counter can be wrong for one sample, and the next one decides.',
  ],
  everyMs: 60_000,
  open: (hostFiles, clock) => {
    const counters = new Discovery(clock, () =>
      listOptional(hostFiles, FOLDER)
        .filter((name) => /^cpu\d+$/.test(name))
        .map((name) => `${FOLDER}/${name}/thermal_throttle/core_throttle_count`)
        .filter((path) => hostFiles.has(path))
        .slice(0, CPUS_MAX),
    );
    const confirmed = new Map<string, ConfirmedCount>();
    return () => {
      const atMs = clock.monotonicMs();
      let highest: number | undefined;
      for (const path of counters.current) {
        const text = readOptional(hostFiles, path);
        // A CPU that goes offline loses its counter.
        if (text === undefined) {
          confirmed.delete(path);
          continue;
        }
        const counter = confirmed.get(path) ?? new ConfirmedCount(EVENTS_PER_S_MAX);
        confirmed.set(path, counter);
        highest = Math.max(highest ?? 0, counter.next(parseNatural(text, `/${path}`), atMs) ?? Number.NaN);
      }
      return { cpuThrottleCount: highest === undefined || Number.isNaN(highest) ? undefined : highest };
    };
  },
};
