/**
 * What is said in the clear, told once per start: a road without encryption to anything but this host or a private network,
 * and a list that goes from https to such a road.
 *
 * A name is judged by its addresses; one that cannot be resolved now is not told of, because nothing can be said to it either.
 */

import { isPrivateAddress } from '../core/address-space.ts';
import type { Road } from '../core/config.ts';
import { tell } from '../core/events.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { createResolver, type Resolve } from '../transport/resolve.ts';

export interface ClearRoadPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
}

/** Never rejects; takes as long as names take, so nobody should wait for it. */
export async function tellClearRoads(
  roads: readonly Road[],
  { clock, log, resolve = createResolver() }: ClearRoadPorts,
  signal: AbortSignal,
): Promise<void> {
  const first = roads.findIndex(({ scheme }) => scheme === 'https');
  const fallback = first === -1 ? undefined : roads.slice(first).find(({ scheme }) => scheme !== 'https');
  if (fallback) tell(log, 'FL-CLEAR-FALLBACK', { url: fallback.url });
  for (const { scheme, host, port, url } of roads) {
    if (scheme === 'https') continue;
    const found = await resolve(host, port, clock, signal);
    if (!found.ok || signal.aborted) continue;
    const open = found.value.find(({ address }) => !isPrivateAddress(address));
    if (open) tell(log, 'FL-CLEAR-ROAD', { url, address: open.address });
  }
}
