/**
 * Whether the hardware watchdog caused the last restart, that is, whether the host hung. Drivers that cannot
 * detect it report 0, so only `true` is certain.
 */

import { listOptional, readOptional } from '../files/optional-files.ts';
import { parseNatural } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';

/** WDIOF_CARDRESET in include/uapi/linux/watchdog.h. */
const CARD_RESET = 0x20;

export const watchdog: Collector = {
  name: 'watchdog',
  catalogue: [
    {
      key: 'watchdogReset',
      type: 'flag',
      profile: 'full',
      meaning:
        'the hardware watchdog caused the last restart of the host; also false if the driver cannot detect it',
      source:
        'Documentation/ABI/testing/sysfs-class-watchdog, bootstatus; Documentation/watchdog/watchdog-api.rst',
    },
  ],
  // Constant during a boot, but a driver can load late.
  everyMs: 300_000,
  open: (hostFiles) => () => {
    const folder = 'sys/class/watchdog';
    const states = listOptional(hostFiles, folder)
      .filter((name) => /^watchdog\d+$/.test(name))
      .map((name) => readOptional(hostFiles, `${folder}/${name}/bootstatus`))
      .filter((text) => text !== undefined)
      .map((text) => parseNatural(text, 'a bootstatus of /sys/class/watchdog'));
    return {
      watchdogReset: states.length === 0 ? undefined : states.some((bits) => (bits & CARD_RESET) !== 0),
    };
  },
};
