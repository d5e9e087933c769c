/**
 * Services: how many units of the service manager have failed.
 *
 * No file says it, so systemd is asked, every five minutes and beside the sampling; here is told what it last said (told.ts). A
 * host without systemd has no failed units: the key is then absent.
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
  open: (_tree, _clock, _wants, external) => () => ({ failedUnitCount: external.services?.().failedUnits }),
};
