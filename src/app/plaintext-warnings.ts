/**
 * What is said in the clear, told once per start: a road without encryption to anything but this host or a private network,
 * and a list that goes from https to such a road.
 *
 * A name is judged by its addresses; one that cannot be resolved now is not told of, because nothing can be said to it either.
 * Another configuration tells only of roads that were not told of before; what is remembered is as much as operators have written.
 */

import { logEvent } from '../core/events/catalogue.ts';
import type { EndpointConfig } from '../core/model/config.ts';
import { isPrivateAddress } from '../core/model/private-address.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { createResolver, type Resolve } from '../transport/resolve.ts';

export interface PlaintextWarningsPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Given by tests only; the host's resolver otherwise. */
  readonly resolve?: Resolve;
}

type PlaintextEvent = 'FL-PLAINTEXT-ENDPOINT' | 'FL-PLAINTEXT-FALLBACK';

export class PlaintextWarnings {
  readonly #ports: PlaintextWarningsPorts & { readonly resolve: Resolve };
  /** Event and URL. */
  readonly #logged = new Set<string>();

  constructor(ports: PlaintextWarningsPorts) {
    this.#ports = { ...ports, resolve: ports.resolve ?? createResolver() };
  }

  /** Never rejects; takes as long as names take, so nobody should wait for it. */
  async warn(endpoints: readonly EndpointConfig[], signal: AbortSignal): Promise<void> {
    const firstHttps = endpoints.findIndex(({ scheme }) => scheme === 'https');
    const fallback =
      firstHttps === -1 ? undefined : endpoints.slice(firstHttps).find(({ scheme }) => scheme !== 'https');
    if (fallback) this.#logOnce('FL-PLAINTEXT-FALLBACK', fallback.url);
    const { clock, resolve } = this.#ports;
    for (const { scheme, host, port, url } of endpoints) {
      if (scheme === 'https') continue;
      const addresses = await resolve(host, port, clock, signal);
      if (!addresses.ok || signal.aborted) continue;
      const publicAddress = addresses.value.find(({ address }) => !isPrivateAddress(address));
      if (publicAddress) this.#logOnce('FL-PLAINTEXT-ENDPOINT', url, { address: publicAddress.address });
    }
  }

  #logOnce(event: PlaintextEvent, url: string, fields: { readonly address?: string } = {}): void {
    const key = `${event} ${url}`;
    if (this.#logged.has(key)) return;
    this.#logged.add(key);
    logEvent(this.#ports.log, event, { url, ...fields });
  }
}
