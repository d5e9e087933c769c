/**
 * The default route: interface and router, as texts, so that a failover from cable to modem changes one
 * value. IPv4 comes before IPv6, then the lowest metric; without a route the interface is `none`. A line that
 * is no route costs nothing if it cannot be a default route, and both values if it can.
 */

import { defaultIpv4Route, type Ipv4RouteTable, parseIpv4Routes } from '../../core/model/route-table.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptionalLines, readOrDefault } from '../files/optional-files.ts';
import { checkWhole, InvalidValueError, ipv4Text, ipv6Text } from '../files/parse.ts';
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
  notes: [
    'If a line that is invalid could be a better default route, both values are absent, because "none" or another interface would look like a failover.',
  ],
  open: (hostFiles) => {
    let parsed: { readonly text: string; readonly measurements: Measurements | undefined } | undefined;
    return () => {
      const text = readIpv4Text(hostFiles);
      if (text === undefined) return {};
      // The table hardly ever changes, and comparing it is cheaper than parsing it.
      if (text !== parsed?.text) parsed = { text, measurements: ipv4Measurements(text) };
      if (parsed.measurements !== undefined) return parsed.measurements;
      const ipv6 = findIpv6Default(hostFiles);
      if (ipv6 !== undefined) return toMeasurements(ipv6.interface, ipv6.gateway);
      return { defaultRouteInterface: 'none' };
    };
  },
};

const IPV4_PATH = 'proc/net/route';
const IPV6_PATH = 'proc/net/ipv6_route';

function toMeasurements(name: string, gateway: string | undefined): Measurements {
  return { defaultRouteInterface: name, defaultRouteGateway: gateway };
}

/** Of the default route; undefined without one. Throws if it is in doubt. */
function ipv4Measurements(text: string): Measurements | undefined {
  const ipv4 = findIpv4Default(toIpv4Routes(text));
  if (ipv4 === undefined) return undefined;
  return toMeasurements(ipv4.interface, ipv4.gateway === undefined ? undefined : ipv4Text(ipv4.gateway));
}

function readIpv4Text(hostFiles: HostFiles): string | undefined {
  return readOrDefault(() => hostFiles.read(IPV4_PATH), undefined);
}

/** Undefined if the kernel has no such table. Throws if the whole of it is invalid. */
export function readIpv4Routes(hostFiles: HostFiles): Ipv4RouteTable | undefined {
  const text = readIpv4Text(hostFiles);
  return text === undefined ? undefined : toIpv4Routes(text);
}

function toIpv4Routes(text: string): Ipv4RouteTable {
  if (text !== '') checkWhole(text, IPV4_PATH);
  const table = parseIpv4Routes(text);
  if (table === undefined) throw new InvalidValueError(`/${IPV4_PATH} has no header line`);
  return table;
}

/** The default route with the lowest metric. Throws if a line that is invalid could be a better one. */
export function findIpv4Default({ routes, hasDoubtfulLine }: Ipv4RouteTable) {
  if (hasDoubtfulLine) throw new InvalidValueError(`/${IPV4_PATH} has a line of unknown format`);
  return defaultIpv4Route(routes);
}

interface Ipv6Route {
  readonly interface: string;
  readonly gateway: string | undefined;
  readonly metric: number;
}

const [UP, GATEWAY, REJECT] = [0x1, 0x2, 0x200];
const HEX_32 = /^[0-9a-f]{32}$/;
const HEX_8 = /^[0-9a-f]{8}$/;
const ANY = '0'.repeat(32);

/**
 * The default route with the lowest metric. The file is missing if IPv6 is a module that is not loaded, or
 * disabled.
 */
export function findIpv6Default(hostFiles: HostFiles): Ipv6Route | undefined {
  let best: Ipv6Route | undefined;
  for (const line of readOptionalLines(hostFiles, IPV6_PATH) ?? []) {
    const candidate = parseIpv6Default(line);
    if (candidate !== undefined && (best === undefined || candidate.metric < best.metric)) best = candidate;
  }
  return best;
}

/**
 * Fields: destination, its length, source, its length, next hop, metric, reference count, use, flags,
 * interface. Undefined for another route, and for one that is down or rejects traffic.
 */
function parseIpv6Default(line: string): Ipv6Route | undefined {
  const fields = line.trim().split(/\s+/);
  const [destination = '', length, , , nextHop = '', metric = '', , , flags = '', name = ''] = fields;
  if (HEX_32.test(destination) && destination !== ANY) return undefined;
  if (
    ![destination, nextHop].every((field) => HEX_32.test(field)) ||
    ![metric, flags].every((field) => HEX_8.test(field))
  )
    throw new InvalidValueError(`/${IPV6_PATH} has a line of unknown format`);
  const bits = Number.parseInt(flags, 16);
  if (length !== '00' || name === 'lo' || (bits & UP) === 0 || (bits & REJECT) !== 0) return undefined;
  return {
    interface: name,
    gateway: (bits & GATEWAY) === 0 ? undefined : ipv6Text(nextHop),
    metric: Number.parseInt(metric, 16),
  };
}
