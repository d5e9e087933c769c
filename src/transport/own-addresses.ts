/**
 * The addresses of this host as one text, to notice that they change. From two files of the kernel, because the list of
 * interfaces took a tenth of the CPU of a reading.
 *
 * `/proc/net/fib_trie` (net/ipv4/fib_trie.c) has the IPv4 addresses and prefixes, `/proc/net/if_inet6` one IPv6 address a line.
 */

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const IPV4 = '/proc/net/fib_trie';
const IPV6 = '/proc/net/if_inet6';
/** A larger table, of a router, costs more than the list of interfaces. */
const TABLE_CHARACTERS_MAX = 32 * 1024;
/** Of a line of if_inet6: the flags behind it change when an address is confirmed. */
const IPV6_DIGITS = 32;

/** Returns a function that reads them; its text is empty if the system cannot list them, and then no change is detected. */
export function createOwnAddresses(ipv4Path: string = IPV4): () => string {
  let usesInterfaces = false;
  let lastIpv6 = '';
  let ipv6Addresses = '';
  return () => {
    const table = usesInterfaces ? undefined : readOrUndefined(ipv4Path);
    usesInterfaces = table === undefined || table.length > TABLE_CHARACTERS_MAX;
    if (table === undefined || usesInterfaces) return addressesOfInterfaces();
    const ipv6 = readOrUndefined(IPV6) ?? '';
    if (ipv6 !== lastIpv6) {
      const addresses = ipv6.split('\n').map((line) => line.slice(0, IPV6_DIGITS));
      ipv6Addresses = addresses.sort().join('\n');
      lastIpv6 = ipv6;
    }
    return table + ipv6Addresses;
  };
}

/** An object, because Node copies its defaults for the name of an encoding. */
const AS_TEXT = { encoding: 'utf8', flag: 'r' } as const;

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, AS_TEXT);
  } catch {
    return undefined;
  }
}

function addressesOfInterfaces(): string {
  try {
    return Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address }) => address)
      .sort()
      .join(' ');
  } catch {
    return '';
  }
}
