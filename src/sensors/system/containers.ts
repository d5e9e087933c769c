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
        'containers of Docker or Podman that run, up to five minutes ago; the agent needs the right to ask (below)',
      source: 'Docker Engine API, GET /containers/json',
    },
  ],
  open: (_tree, _clock, _wants, external) => () => ({
    runningContainerCount: external.services?.().runningContainers,
  }),
};
