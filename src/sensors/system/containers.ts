/**
 * Containers: how many of Docker's or Podman's run.
 *
 * No file says it, so the engine is asked over its socket, every five minutes and beside the sampling; here is told what it last said
 * (told.ts). Absent where there is no engine, where the agent may not open its socket, and while the engine does not answer.
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
  open: (_tree, _clock, _wants, external) => () => ({
    runningContainerCount: external.services?.().runningContainers,
  }),
};
