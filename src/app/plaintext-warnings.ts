/**
 * What is said in the clear, told once per start: a road without encryption to anything but this host or a private network,
 * and a list that goes from https to such a road.
 *
 * A name is judged by its addresses; one that cannot be resolved now is not told of, because nothing can be said to it either.
 * Another configuration tells only of roads that were not told of before; what is remembered is as much as operators have written.
 */

import { tell } from '../core/events/catalogue.ts';
import type { Road } from '../core/model/config.ts';
import { isPrivateAddress } from '../core/model/private-address.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { createResolver, type Resolve } from '../transport/resolve.ts';

export interface ClearRoadPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
}

type ClearEvent = 'FL-CLEAR-ROAD' | 'FL-CLEAR-FALLBACK';

export class ClearRoads {
  readonly #ports: ClearRoadPorts & { readonly resolve: Resolve };
  /** Event and URL. */
  readonly #told = new Set<string>();

  constructor(ports: ClearRoadPorts) {
    this.#ports = { ...ports, resolve: ports.resolve ?? createResolver() };
  }

  /** Never rejects; takes as long as names take, so nobody should wait for it. */
  async warn(roads: readonly Road[], signal: AbortSignal): Promise<void> {
    const first = roads.findIndex(({ scheme }) => scheme === 'https');
    const fallback = first === -1 ? undefined : roads.slice(first).find(({ scheme }) => scheme !== 'https');
    if (fallback) this.#once('FL-CLEAR-FALLBACK', fallback.url);
    const { clock, resolve } = this.#ports;
    for (const { scheme, host, port, url } of roads) {
      if (scheme === 'https') continue;
      const found = await resolve(host, port, clock, signal);
      if (!found.ok || signal.aborted) continue;
      const open = found.value.find(({ address }) => !isPrivateAddress(address));
      if (open) this.#once('FL-CLEAR-ROAD', url, { address: open.address });
    }
  }

  #once(event: ClearEvent, url: string, more: { readonly address?: string } = {}): void {
    const name = `${event} ${url}`;
    if (this.#told.has(name)) return;
    this.#told.add(name);
    tell(this.#ports.log, event, { url, ...more });
  }
}
