/**
 * Running containers of Docker or Podman. The program polls the socket of the engine every five minutes
 * (external-values.ts). Absent without an engine, if the agent cannot open its socket, and while it does not
 * respond.
 */

import type { Collector } from '../runtime/collector.ts';

export const containers: Collector = {
  name: 'containers',
  catalogue: [
    {
      key: 'runningContainerCount',
      type: 'number',
      profile: 'full',
      unit: '',
      min: 0,
      max: 100_000,
      decimals: 0,
      meaning:
        'running Docker or Podman containers, read every 5 minutes; the agent needs access to the socket of the engine',
      source: 'Docker Engine API, GET /containers/json',
    },
  ],
  open: (_hostFiles, _clock, _isSelected, external) => () => ({
    runningContainerCount: external.services?.().runningContainers,
  }),
};
