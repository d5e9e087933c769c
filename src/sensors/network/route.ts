/**
 * The default route: interface and router, as texts, so that a failover from cable to modem changes one
 * value. IPv4 comes before IPv6, then the lowest metric; without a route the interface is `none`. Numbers in
 * /proc/net/route have the byte order of the host, which is little-endian on all supported gateways.
 */

import type { HostFiles } from '../files/host-files.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError, ipv4Text, ipv6Text } from '../files/parse.ts';
import type { Collector, Measurements } from '../runtime/collector.ts';

const SOURCE = 'net/ipv4/fib_trie.c, /proc/net/route; net/ipv6/route.c, /proc/net/ipv6_route';

export const route: Collector = {
  name: 'route',
  catalogue: [
    {
      key: 'defaultRouteInterface',
      type: 'text',
      profile: 'default',
      charactersMax: 15,
      meaning: 'interface of the default route, IPv4 before IPv6; "none" without a default route',
      source: SOURCE,
    },
    {
      key: 'defaultRouteGateway',
      type: 'text',
      profile: 'full',
      charactersMax: 39,
      meaning: 'router address of the default route; absent if the link needs no router',
      source: SOURCE,
    },
  ],
  open: (hostFiles) => () => {
    const ipv4Lines = readOptionalLines(hostFiles, 'proc/net/route');
    if (ipv4Lines === undefined) return {};
    const best =
      findLowestMetric(ipv4Routes(ipv4Lines)) ?? findLowestMetric(ipv6Routes(readIpv6Lines(hostFiles)));
    return best === undefined ? { defaultRouteInterface: 'none' } : toMeasurements(best);
  },
};

interface DefaultRoute {
  readonly interface: string;
  readonly gateway: string | undefined;
  readonly metric: number;
}

const [UP, GATEWAY, REJECT] = [0x1, 0x2, 0x200];
const HEX_8 = /^[0-9A-F]{8}$/;
const HEX_32 = /^[0-9a-f]{32}$/;

function toMeasurements({ interface: name, gateway }: DefaultRoute): Measurements {
  return { defaultRouteInterface: name, defaultRouteGateway: gateway };
}

function findLowestMetric(routes: readonly DefaultRoute[]): DefaultRoute | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric)[0];
}

/** Fields: interface, destination, gateway, flags, reference count, use, metric, mask … */
function ipv4Routes([heading, ...lines]: readonly string[]): readonly DefaultRoute[] {
  if (!heading?.startsWith('Iface')) throw new InvalidValueError('/proc/net/route has no header line');
  return lines.flatMap((line) => {
    const [name = '', destination = '', nextHop = '', flags = '', , , metric = '', mask = ''] = line
      .trim()
      .split(/\s+/);
    if (![destination, nextHop, mask].every((field) => HEX_8.test(field)) || !/^\d{1,10}$/.test(metric))
      throw new InvalidValueError('/proc/net/route has a line of unknown format');
    if (Number(`0x${destination}${mask}`) !== 0) return [];
    return defaultRoute(name, Number.parseInt(flags, 16), ipv4Text(nextHop), Number(metric));
  });
}

/** The file is missing if IPv6 is a module that is not loaded, or disabled. */
function readIpv6Lines(hostFiles: HostFiles): readonly string[] {
  return readOptionalLines(hostFiles, 'proc/net/ipv6_route') ?? [];
}

/**
 * Fields: destination, its length, source, its length, next hop, metric, reference count, use, flags,
 * interface.
 */
function ipv6Routes(lines: readonly string[]): readonly DefaultRoute[] {
  return lines.flatMap((line) => {
    const [destination = '', length, , , nextHop = '', metric = '', , , flags = '', name = ''] = line
      .trim()
      .split(/\s+/);
    if (![destination, nextHop].every((field) => HEX_32.test(field)) || !/^[0-9a-f]{8}$/.test(metric))
      throw new InvalidValueError('/proc/net/ipv6_route has a line of unknown format');
    if (length !== '00' || /[^0]/.test(destination) || name === 'lo') return [];
    return defaultRoute(name, Number.parseInt(flags, 16), ipv6Text(nextHop), Number.parseInt(metric, 16));
  });
}

/** Empty if the route is down or rejects traffic. */
function defaultRoute(name: string, flags: number, nextHop: string, metric: number): readonly DefaultRoute[] {
  if ((flags & UP) === 0 || (flags & REJECT) !== 0) return [];
  return [{ interface: name, gateway: (flags & GATEWAY) === 0 ? undefined : nextHop, metric }];
}
