/**
 * Whether the clock of the host is synchronised, and its offset. The program supplies both
 * (external-values.ts). With `clock.trust = "system"` the agent does not check the clock, and
 * `clockSynchronised` is absent.
 */

import type { Collector } from '../runtime/collector.ts';

export const clock: Collector = {
  name: 'clock',
  catalogue: [
    {
      key: 'clockSynchronised',
      type: 'flag',
      profile: 'default',
      meaning:
        'a time service has set the clock since the host started, and no other clock step has followed',
      source: 'systemd-timesyncd.service(8), /run/systemd/timesync/synchronized; adjtimex(2)',
    },
    {
      key: 'clockOffsetMs',
      type: 'number',
      profile: 'full',
      unit: 'ms',
      min: -3_600_000_000_000,
      max: 3_600_000_000_000,
      decimals: 3,
      meaning:
        'server time minus host time: before the last correction by systemd-timesyncd, or the current estimate of chrony',
      source: 'org.freedesktop.timesync1(5), NTPMessage; RFC 5905 section 8; chronyc(1), tracking',
    },
  ],
  open: (_hostFiles, _clock, _isSelected, external) => () => {
    const metrics = external.clock?.();
    return { clockSynchronised: metrics?.isSynchronised, clockOffsetMs: metrics?.offsetMs };
  },
};
