/**
 * The addresses of the host, as one text per family: a new lease changes one value. Loopback and link-local
 * addresses are left out, as are temporary, deprecated and tentative ones.
 */

import type { HostFiles } from '../files/host-files.ts';
import { readOptionalLines } from '../files/optional-files.ts';
import { InvalidValueError, ipv6Text } from '../files/parse.ts';
import type { CatalogueEntry, Collector } from '../runtime/collector.ts';

/** Six IPv6 addresses of 39 characters and their commas stay below 255 characters. */
const ADDRESSES_MAX = 6;

export const addresses: Collector = {
  name: 'addresses',
  catalogue: [
    entry('ipv4Addresses', 'IPv4', 'Documentation/networking/fib_trie.rst, /proc/net/fib_trie'),
    entry('ipv6Addresses', 'IPv6', 'net/ipv6/addrconf.c, /proc/net/if_inet6'),
  ],
  everyMs: 60_000,
  open: (hostFiles) => () => ({
    ipv4Addresses: joinAddresses(ipv4Addresses(readLines(hostFiles, 'proc/net/fib_trie'))),
    ipv6Addresses: joinAddresses(ipv6Addresses(readLines(hostFiles, 'proc/net/if_inet6'))),
  }),
};

function entry(key: string, family: string, source: string): CatalogueEntry {
  const meaning = `${family} addresses of the host, without loopback and link-local, at most ${ADDRESSES_MAX}`;
  return { key, type: 'text', profile: 'full', charactersMax: 255, meaning, source };
}

function readLines(hostFiles: HostFiles, path: string): readonly string[] {
  return readOptionalLines(hostFiles, path) ?? [];
}

function joinAddresses(all: readonly string[]): string | undefined {
  return all.length === 0 ? undefined : all.slice(0, ADDRESSES_MAX).join(',');
}

const ADDRESS = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;
/** A table, a node, a leaf, or the route of a leaf. */
const TRIE_LINE = new RegExp(
  String.raw`^(\w+( \d+)?:|\s+\+-- ${ADDRESS}/\d+( \d+)+|\s+\|-- (?<leaf>${ADDRESS})|\s+/([12]?\d|3[0-2]) [\w ]+)$`,
);

/** The trie has a route to each local address: `|-- 192.0.2.2`, and below it `/32 host LOCAL`. */
function ipv4Addresses(lines: readonly string[]): readonly string[] {
  const localAddresses = lines.flatMap((line, at) => {
    const match = TRIE_LINE.exec(line);
    if (match === null) throw new InvalidValueError('/proc/net/fib_trie has a line of unknown format');
    return lines[at + 1]?.trim() === '/32 host LOCAL' ? (match.groups?.['leaf'] ?? []) : [];
  });
  return [...new Set(localAddresses)].filter((address) => !/^(127|169\.254)\./.test(address)).toSorted();
}

const [TEMPORARY, DEPRECATED, TENTATIVE] = [0x01, 0x20, 0x40];
const HEX_32 = /^[0-9a-f]{32}$/;

/** Fields: address, index of the interface, length of the prefix, scope (0 is global), flags, interface. */
function ipv6Addresses(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([address = '', , , scope, flags = '']) => {
      const transientFlags = Number.parseInt(flags, 16) & (TEMPORARY | DEPRECATED | TENTATIVE);
      return HEX_32.test(address) && scope === '00' && transientFlags === 0;
    })
    .map(([address = '']) => ipv6Text(address))
    .toSorted();
}
