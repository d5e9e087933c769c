/**
 * The way to the server as the configuration has it: one road, or several with a choice between them.
 *
 * Each kind of road is loaded when it is first needed: HTTP brings 6 MiB with it that a gateway on CoAP does without.
 */

import type { Config, Road } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Chance } from '../core/ports/random.ts';
import type { Transport } from '../core/ports/transport.ts';
import { identityOf } from './identity.ts';
import { VERSION } from './version.ts';

export interface RoadPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Logger;
  /** Hears how long the server took to say its first word, ms, of each request that was sent once. */
  readonly onRoundTrip?: (roundTripMs: number) => void;
}

export interface Opened {
  readonly transport: Transport;
  /** The server by the road in use now. */
  readonly road: () => string;
}

export async function openTransport(server: Config['server'], ports: RoadPorts): Promise<Opened> {
  const { roads } = server;
  if (roads.length === 1)
    return { transport: await openRoad(roads[0], server, ports), road: () => identityOf(roads[0]) };
  const { Roads } = await import('../transport/failover/failover-transport.ts');
  const ways = roads.map((road) => ({
    url: road.url,
    isEncrypted: road.scheme === 'https',
    open: () => openRoad(road, server, ports),
  }));
  const transport = new Roads(ways, ports);
  return { transport, road: () => identityOf(roads[transport.inUse] ?? roads[0]) };
}

/** One road, whatever the others are. */
export async function openRoad(road: Road, { tls }: Config['server'], ports: RoadPorts): Promise<Transport> {
  const { scheme } = road;
  if (scheme === 'coap') {
    const { CoapTransport } = await import('../transport/coap/transport.ts');
    return new CoapTransport(road, ports);
  }
  const { HttpTransport } = await import('../transport/http/transport.ts');
  return new HttpTransport({ ...road, scheme, tls, userAgent: `firstlight/${VERSION}` }, ports);
}
