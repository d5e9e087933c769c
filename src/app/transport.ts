/**
 * Opens the transport of the configuration: one endpoint, or failover between several.
 *
 * Each transport is loaded when it is first needed, because HTTP adds 6 MiB that a CoAP gateway does not need.
 */

import { endpointId } from '../config/values/server-url.ts';
import type { Config, EndpointConfig } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Random } from '../core/ports/random.ts';
import type { Transport } from '../core/ports/transport.ts';
import { VERSION } from './version.ts';

export interface TransportPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Called with the time to the first response, ms, of each request that was sent once. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

export interface OpenTransport {
  readonly transport: Transport;
  /** The id of the endpoint in use. */
  readonly endpoint: () => string;
}

export async function openTransport(server: Config['server'], ports: TransportPorts): Promise<OpenTransport> {
  const { endpoints } = server;
  if (endpoints.length === 1)
    return {
      transport: await openEndpoint(endpoints[0], server, ports),
      endpoint: () => endpointId(endpoints[0]),
    };
  const { FailoverTransport } = await import('../transport/failover/failover-transport.ts');
  const endpointConfigs = endpoints.map((endpoint) => ({
    url: endpoint.url,
    isEncrypted: endpoint.scheme === 'https',
    open: () => openEndpoint(endpoint, server, ports),
  }));
  const transport = new FailoverTransport(endpointConfigs, ports);
  return { transport, endpoint: () => endpointId(endpoints[transport.currentEndpoint] ?? endpoints[0]) };
}

/** Opens one endpoint without failover. */
export async function openEndpoint(
  endpoint: EndpointConfig,
  { tls }: Config['server'],
  ports: TransportPorts,
): Promise<Transport> {
  const { scheme } = endpoint;
  if (scheme === 'coap') {
    const { CoapTransport } = await import('../transport/coap/transport.ts');
    return new CoapTransport(endpoint, ports);
  }
  const { HttpTransport } = await import('../transport/http/transport.ts');
  return new HttpTransport({ ...endpoint, scheme, tls, userAgent: `firstlight/${VERSION}` }, ports);
}
