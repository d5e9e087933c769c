/**
 * Warns once per start about unencrypted endpoints outside this host and private networks, and about an endpoint list that
 * falls back from an encrypted to an unencrypted endpoint.
 *
 * A host name is checked by its addresses. A name that does not resolve causes no warning, because nothing can be sent to it.
 */

import { logEvent } from '../core/events/catalogue.ts';
import { type EndpointConfig, isEncryptedScheme } from '../core/model/config.ts';
import { isPrivateAddress } from '../core/model/private-address.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { createResolver, type Resolve } from '../transport/resolve.ts';

export interface PlaintextWarningsPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** For tests; default: the resolver of the host. */
  readonly resolve?: Resolve;
}

type PlaintextEvent = 'FL-PLAINTEXT-ENDPOINT' | 'FL-PLAINTEXT-FALLBACK';

export class PlaintextWarnings {
  readonly #ports: PlaintextWarningsPorts & { readonly resolve: Resolve };
  /** Event and URL of each logged warning; a reload logs only new ones. */
  readonly #logged = new Set<string>();

  constructor(ports: PlaintextWarningsPorts) {
    this.#ports = { ...ports, resolve: ports.resolve ?? createResolver() };
  }

  /** Never rejects. Do not await it: it takes as long as name resolution. */
  async warn(endpoints: readonly EndpointConfig[], signal: AbortSignal): Promise<void> {
    const isEncrypted = ({ scheme }: EndpointConfig) => isEncryptedScheme(scheme);
    const first = endpoints.findIndex(isEncrypted);
    const fallback = first === -1 ? undefined : endpoints.slice(first).find((each) => !isEncrypted(each));
    if (fallback) this.#logOnce('FL-PLAINTEXT-FALLBACK', fallback.url);
    const { clock, resolve } = this.#ports;
    for (const { scheme, host, port, url } of endpoints) {
      if (isEncryptedScheme(scheme)) continue;
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
