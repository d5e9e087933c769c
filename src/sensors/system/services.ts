/**
 * Failed systemd units. The program asks systemd every five minutes (external-values.ts). Absent without
 * systemd.
 */

import type { Collector } from '../runtime/collector.ts';

export const services: Collector = {
  name: 'services',
  catalogue: [
    {
      key: 'failedUnitCount',
      type: 'number',
      profile: 'default',
      unit: '',
      min: 0,
      max: 100_000,
      decimals: 0,
      meaning: 'systemd units in the state "failed", read every 5 minutes',
      source: 'org.freedesktop.systemd1(5), NFailedUnits',
    },
  ],
  open: (_hostFiles, _clock, _isSelected, external) => () => ({
    failedUnitCount: external.services?.().failedUnits,
  }),
};
