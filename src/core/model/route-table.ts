/**
 * The IPv4 routes of a host, from the text of /proc/net/route (net/ipv4/fib_trie.c, fib_route_seq_show).
 * Numbers have the byte order of the host, which is little-endian on all supported gateways.
 */

export interface Ipv4Route {
  readonly interface: string;
  /** Unsigned 32 bits in the byte order of the file: the first octet is the lowest byte. */
  readonly destination: number;
  readonly mask: number;
  /** 8 hex digits; undefined if the link needs no router. */
  readonly gateway: string | undefined;
  readonly metric: number;
}

export interface Ipv4RouteTable {
  readonly routes: readonly Ipv4Route[];
  /** Whether a line that is no valid route could be a default route, so that the table shows no certain one. */
  readonly hasDoubtfulLine: boolean;
}

const [UP, GATEWAY, REJECT] = [0x1, 0x2, 0x200];
const HEX_8 = /^[0-9A-F]{8}$/;
const HEX = /^[0-9A-F]{1,8}$/;

/**
 * Undefined without the heading of the table. Routes that are down or reject traffic are left out. An empty text is a table
 * without routes: in a network namespace that never had an IPv4 address the kernel writes not even the heading.
 */
export function parseIpv4Routes(text: string): Ipv4RouteTable | undefined {
  if (text === '') return { routes: [], hasDoubtfulLine: false };
  const [heading, ...lines] = text.replace(/\n$/, '').split('\n');
  if (!heading?.startsWith('Iface')) return undefined;
  const routes: Ipv4Route[] = [];
  let hasDoubtfulLine = false;
  for (const line of lines) {
    const route = parseLine(line);
    if (route === 'doubtful') hasDoubtfulLine = true;
    else if (route !== undefined) routes.push(route);
  }
  return { routes, hasDoubtfulLine };
}

/** Fields: interface, destination, gateway, flags, reference count, use, metric, mask … */
function parseLine(line: string): Ipv4Route | 'doubtful' | undefined {
  const fields = line.trim().split(/\s+/);
  const [name = '', destination = '', nextHop = '', flags = '', , , metric = '', mask = ''] = fields;
  if (!HEX_8.test(destination)) return 'doubtful';
  if (![nextHop, mask].every((field) => HEX_8.test(field)) || !/^\d{1,10}$/.test(metric) || !HEX.test(flags))
    return Number.parseInt(destination, 16) === 0 ? 'doubtful' : undefined;
  const bits = Number.parseInt(flags, 16);
  if ((bits & UP) === 0 || (bits & REJECT) !== 0) return undefined;
  return {
    interface: name,
    destination: Number.parseInt(destination, 16),
    mask: Number.parseInt(mask, 16),
    gateway: (bits & GATEWAY) === 0 ? undefined : nextHop,
    metric: Number(metric),
  };
}

/** The default route with the lowest metric. */
export function defaultIpv4Route(routes: readonly Ipv4Route[]): Ipv4Route | undefined {
  let best: Ipv4Route | undefined;
  for (const route of routes) {
    if (route.destination !== 0 || route.mask !== 0) continue;
    if (best === undefined || route.metric < best.metric) best = route;
  }
  return best;
}

/** The interface in whose subnet the address is: that of the longest prefix. Undefined if there is none. */
export function interfaceOfAddress(routes: readonly Ipv4Route[], address: string): string | undefined {
  const number = address.split('.').reduceRight((sum, octet) => sum * 256 + Number(octet), 0);
  let best: { readonly name: string; readonly bits: number } | undefined;
  for (const { interface: name, destination, mask, gateway } of routes) {
    if (gateway !== undefined || mask === 0 || (number & mask) >>> 0 !== destination) continue;
    const bits = prefixLength(mask);
    if (best === undefined || bits > best.bits) best = { name, bits };
  }
  return best?.name;
}

function prefixLength(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest >>>= 1) bits += rest & 1;
  return bits;
}
