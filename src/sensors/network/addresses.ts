/**
 * The addresses of the host, as one text per family: a new lease changes one value. Those of the interface of
 * the default route come first, then all others, both in the order of their text. Loopback and link-local
 * addresses are left out, as are temporary, deprecated and tentative ones, and those of the bridges of
 * container engines. A table that is invalid costs its family only.
 */

import { isContainerInterface } from '../../core/model/container-interface.ts';
import { interfaceOfAddress } from '../../core/model/route-table.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError, ipv6Text } from '../files/parse.ts';
import type { CatalogueEntry, Collector } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';
import { findIpv4Default, findIpv6Default, readIpv4Routes } from './route.ts';

/** Six IPv6 addresses of 39 characters and their commas stay below 255 characters. */
const ADDRESSES_MAX = 6;

export const addresses: Collector = {
  name: 'addresses',
  catalogue: [
    entry(
      'ipv4Addresses',
      'IPv4',
      'Documentation/networking/fib_trie.rst, /proc/net/fib_trie; /proc/net/route',
    ),
    entry('ipv6Addresses', 'IPv6', 'net/ipv6/addrconf.c, /proc/net/if_inet6; /proc/net/ipv6_route'),
  ],
  notes: [
    'The addresses of the interface of the default route come first, then all others in the order of their text.',
    'Addresses of the bridges of container engines and hypervisors are left out, because the host is not reached there from outside.',
  ],
  everyMs: 60_000,
  open: (hostFiles) => () => {
    const read = new PartialRead();
    read.attemptValue('IPv4', 'ipv4Addresses', () => joinAddresses(ipv4Addresses(hostFiles)));
    read.attemptValue('IPv6', 'ipv6Addresses', () => joinAddresses(ipv6Addresses(hostFiles)));
    return read.result();
  },
};

function entry(key: string, family: string, source: string): CatalogueEntry {
  const meaning = `${family} addresses of the host, without loopback and link-local, at most ${ADDRESSES_MAX}`;
  return { key, type: 'text', profile: 'full', charactersMax: 255, meaning, source };
}

interface HostAddress {
  readonly address: string;
  readonly isDefault: boolean;
}

function joinAddresses(all: readonly HostAddress[]): string | undefined {
  if (all.length === 0) return undefined;
  return all
    .toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault) || (a.address < b.address ? -1 : 1))
    .slice(0, ADDRESSES_MAX)
    .map(({ address }) => address)
    .join(',');
}

const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const ADDRESS = String.raw`${OCTET}(?:\.${OCTET}){3}`;
/** A table, a node, a leaf, or a route of a leaf, whose scope and type can be words, numbers or `tos=16`. */
const TRIE_LINE = new RegExp(
  String.raw`^(\w+( \d+)?:|\s+\+-- ${ADDRESS}/\d+( \d+)+|\s+\|-- (?<leaf>${ADDRESS})|\s+/([12]?\d|3[0-2]) [\w= ]+)$`,
);
const LOCAL_ROUTE = '/32 host LOCAL';

/** The trie has a route to each local address: `|-- 192.0.2.2`, and below it `/32 host LOCAL`. */
function ipv4Addresses(hostFiles: HostFiles): readonly HostAddress[] {
  const found = new Set<string>();
  let leaf: string | undefined;
  for (const line of readOptionalLines(hostFiles, 'proc/net/fib_trie') ?? []) {
    if (leaf !== undefined && line.endsWith(LOCAL_ROUTE)) found.add(leaf);
    const match = TRIE_LINE.exec(line);
    if (match === null) throw new InvalidValueError('/proc/net/fib_trie has a line of unknown format');
    leaf = match.groups?.['leaf'] ?? (line.trimStart().startsWith('/') ? leaf : undefined);
  }
  const usable = [...found].filter((address) => !/^(127|169\.254)\./.test(address));
  if (usable.length === 0) return [];
  // Without policy routing each address is in the subnet of a route.
  const table = readIpv4Routes(hostFiles);
  const routes = table?.routes ?? [];
  const defaultName = table && findIpv4Default(table)?.interface;
  return usable.flatMap((address) => {
    const name = interfaceOfAddress(routes, address);
    if (name !== undefined && isContainerInterface(name)) return [];
    return { address, isDefault: name !== undefined && name === defaultName };
  });
}

const [TEMPORARY, DEPRECATED, TENTATIVE] = [0x01, 0x20, 0x40];
/** Address, index of the interface, length of the prefix, scope (0 is global), flags, interface. */
const INET6_LINE = /^([0-9a-f]{32}) [0-9a-f]{2,8} [0-9a-f]{2} ([0-9a-f]{2}) ([0-9a-f]{2,8}) +(\S+)$/;

function ipv6Addresses(hostFiles: HostFiles): readonly HostAddress[] {
  const usable = new Map<string, string>();
  for (const line of readOptionalLines(hostFiles, 'proc/net/if_inet6') ?? []) {
    const [, address = '', scope, flags = '', name = ''] = INET6_LINE.exec(line) ?? [];
    if (address === '') throw new InvalidValueError('/proc/net/if_inet6 has a line of unknown format');
    const isTransient = (Number.parseInt(flags, 16) & (TEMPORARY | DEPRECATED | TENTATIVE)) !== 0;
    if (scope === '00' && !isTransient && !isContainerInterface(name)) usable.set(ipv6Text(address), name);
  }
  if (usable.size === 0) return [];
  const defaultName = findIpv6Default(hostFiles)?.interface;
  return [...usable].map(([address, name]) => ({ address, isDefault: name === defaultName }));
}
