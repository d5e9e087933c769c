/**
 * The facts that cost nothing: what Node and the kernel know without a file, a process or a library.
 *
 * They are what gets posted when the child of facts.ts fails, so they must not be able to fail themselves.
 */

import { arch, hostname, networkInterfaces, release } from 'node:os';
import { deliverable, type Values } from '../../core/model/reading.ts';
import { plainText } from './facts-text.ts';

export function basicFacts(agentVersion: string): Values {
  return deliverable({
    architecture: plainText(arch(), 'arch '),
    kernel: plainText(release(), 'v'),
    hostname: plainText(hostname(), 'host '),
    agentVersion: plainText(agentVersion, 'v'),
    nodeVersion: plainText(process.version, 'v'),
    ipAddresses: plainText(ipAddresses(interfaces()).join(','), ''),
  });
}

/** The system may refuse to say: no descriptor left, or no netlink. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

export interface Address {
  readonly address: string;
  readonly internal: boolean;
}

/** Addresses others may reach the host by: no loopback, no link-local; IPv4 first, each once, as many as fit a line. */
export function ipAddresses(
  interfaces: Readonly<Record<string, readonly Address[] | undefined>>,
): readonly string[] {
  const all = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address);
  const unique = [...new Set(all)].toSorted(
    (a, b) => Number(a.includes(':')) - Number(b.includes(':')) || (a < b ? -1 : 1),
  );
  return unique.slice(0, ADDRESSES_MAX);
}

/** Six IPv6 addresses of 39 characters and their commas stay below the 255 characters of an attribute. */
const ADDRESSES_MAX = 6;

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/i.test(address);
}
