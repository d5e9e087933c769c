/**
 * Current CPU frequency: one value for each group of CPUs that share a clock, named after the first CPU of
 * the group. It is the frequency the kernel has set or, on a PC, measured. A group whose CPUs are all offline
 * has no value, and one that cannot be read costs no other.
 */

import { errorCode } from '../../core/model/error-code.ts';
import { Discovery } from '../devices/discovery.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

const FOLDER = 'sys/devices/system/cpu/cpufreq';
const POLICIES_MAX = 16;
const KHZ_PER_MHZ = 1000;

export const frequency: Collector = {
  name: 'frequency',
  catalogue: [
    {
      key: 'cpu*FrequencyMHz',
      type: 'number',
      profile: 'full',
      unit: 'MHz',
      min: 1,
      max: 20_000,
      decimals: 0,
      meaning: 'frequency of the CPU and of all CPUs that share its clock',
      source: 'Documentation/admin-guide/pm/cpufreq.rst, scaling_cur_freq',
    },
  ],
  open: (hostFiles, clock) => {
    const policies = new Discovery(clock, () =>
      listOptional(hostFiles, FOLDER)
        .filter((name) => /^policy\d{1,4}$/.test(name))
        .map((name) => name.slice('policy'.length))
        .toSorted((a, b) => Number(a) - Number(b))
        .slice(0, POLICIES_MAX),
    );
    return () => {
      const read = new PartialRead();
      for (const first of policies.current) {
        read.attemptValue(first, `cpu${first}FrequencyMHz`, () => {
          const path = `${FOLDER}/policy${first}/scaling_cur_freq`;
          const text = ignoreBusy(() => readOptional(hostFiles, path));
          // Some drivers return this if all CPUs of the group sleep.
          if (text === undefined || text === '<unknown>') return undefined;
          return parseNatural(text, `/${path}`) / KHZ_PER_MHZ;
        });
      }
      return read.result();
    };
  },
};

/** The kernel returns EBUSY for a group without an online CPU (drivers/cpufreq/cpufreq.c, show). */
function ignoreBusy<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (errorCode(error) === 'EBUSY') return undefined;
    throw error;
  }
}
