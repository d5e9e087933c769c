/**
 * Route: where everything goes that is not for a neighbour, as texts, so that a failover from cable to modem is one value that changes.
 *
 * IPv4's default route counts before IPv6's, and of several the one with the lowest metric. That there is none is known, too: the
 * interface is then `none`. Numbers in /proc/net/route are in the byte order of the host, and that of every gateway we know is
 * little-endian.
 */

import { NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import { linesIfThere } from '../files/optional-files.ts';
import type { Collector, Measured } from '../runtime/collector.ts';
import { ipv4Text, ipv6Text } from './ip-text.ts';

const SOURCE = 'net/ipv4/fib_trie.c, /proc/net/route; net/ipv6/route.c, /proc/net/ipv6_route';

export const route: Collector = {
  name: 'route',
  catalogue: [
    {
      key: 'defaultRouteInterface',
      type: 'text',
      profile: 'default',
      charactersMax: 15,
      meaning: 'interface of the default route, IPv4 before IPv6; none where there is none',
      source: SOURCE,
    },
    {
      key: 'defaultRouteGateway',
      type: 'text',
      profile: 'full',
      charactersMax: 39,
      meaning: 'address of the router behind it; absent where the link needs none',
      source: SOURCE,
    },
  ],
  open: (tree) => () => {
    const four = linesIfThere(tree, 'proc/net/route');
    if (four === undefined) return {};
    const best = lowest(ipv4Routes(four)) ?? lowest(ipv6Routes(readSix(tree)));
    return best === undefined ? { defaultRouteInterface: 'none' } : told(best);
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

function told({ interface: name, gateway }: DefaultRoute): Measured {
  return { defaultRouteInterface: name, defaultRouteGateway: gateway };
}

function lowest(routes: readonly DefaultRoute[]): DefaultRoute | undefined {
  return routes.toSorted((a, b) => a.metric - b.metric)[0];
}

/** Interface, destination, gateway, flags, reference count, use, metric, mask … */
function ipv4Routes([heading, ...lines]: readonly string[]): readonly DefaultRoute[] {
  if (!heading?.startsWith('Iface')) throw new NonsenseError('/proc/net/route has no heading');
  return lines.flatMap((line) => {
    const [name = '', to = '', next = '', flags = '', , , metric = '', mask = ''] = line.trim().split(/\s+/);
    if (![to, next, mask].every((field) => HEX_8.test(field)) || !/^\d{1,10}$/.test(metric))
      throw new NonsenseError('a line of /proc/net/route is no route');
    if (Number(`0x${to}${mask}`) !== 0) return [];
    return defaultRoute(name, Number.parseInt(flags, 16), ipv4Text(next), Number(metric));
  });
}

/** An IPv6 that is built as a module, or switched off, has no file. */
function readSix(tree: Tree): readonly string[] {
  return linesIfThere(tree, 'proc/net/ipv6_route') ?? [];
}

/** Destination, its length, source, its length, next hop, metric, reference count, use, flags, interface. */
function ipv6Routes(lines: readonly string[]): readonly DefaultRoute[] {
  return lines.flatMap((line) => {
    const [to = '', length, , , next = '', metric = '', , , flags = '', name = ''] = line.trim().split(/\s+/);
    if (![to, next].every((field) => HEX_32.test(field)) || !/^[0-9a-f]{8}$/.test(metric))
      throw new NonsenseError('a line of /proc/net/ipv6_route is no route');
    if (length !== '00' || /[^0]/.test(to) || name === 'lo') return [];
    return defaultRoute(name, Number.parseInt(flags, 16), ipv6Text(next), Number.parseInt(metric, 16));
  });
}

/** None when the route is not in force or only says that there is no way. */
function defaultRoute(name: string, flags: number, next: string, metric: number): readonly DefaultRoute[] {
  if ((flags & UP) === 0 || (flags & REJECT) !== 0) return [];
  return [{ interface: name, gateway: (flags & GATEWAY) === 0 ? undefined : next, metric }];
}
