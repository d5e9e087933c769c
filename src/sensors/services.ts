/**
 * Services: how many units of the service manager have failed, and how many containers run.
 *
 * No file says either, so other programs are asked, every five minutes and beside the sampling; here is told what they last said
 * (told.ts). A host without systemd has no failed units, and one without Docker or Podman no containers: both are then absent.
 */

import type { Collector } from './collector.ts';

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
      meaning: 'units of systemd in the state "failed", up to five minutes ago',
      source: 'systemctl(1), list-units --state=failed',
    },
    {
      key: 'runningContainerCount',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 100_000,
      decimals: 0,
      meaning: 'containers of Docker or Podman that run, up to five minutes ago',
      source: 'Docker Engine API, GET /containers/json',
    },
  ],
  open: (_tree, _clock, _wants, told) => () => {
    const figures = told.services?.();
    return {
      failedUnitCount: figures?.failedUnits,
      runningContainerCount: figures?.runningContainers,
    };
  },
};
