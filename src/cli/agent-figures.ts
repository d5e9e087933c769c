/** What the agent knows about itself, for its own sensor: the process from Node, the readings from the outbox, once there is one. */

import type { Outbox } from '../core/ports.ts';
import type { AgentFigures } from '../sensors/told.ts';

export type CountedOutbox = Pick<Outbox, 'losses'> & { readonly size: number };

const US_PER_MS = 1000;

export function agentFigures(outbox: CountedOutbox | undefined): AgentFigures {
  const { user, system } = process.cpuUsage();
  return {
    rssBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / US_PER_MS,
    busyMs: performance.eventLoopUtilization().active,
    uptimeMs: process.uptime() * 1000,
    waitingReadings: outbox?.size,
    lostReadings: outbox?.losses.total,
  };
}
