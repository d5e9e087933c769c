/**
 * Facts that Node knows without a process or a library. They are all there is if the facts process fails, so
 * they cannot fail.
 */

import { readFileSync } from 'node:fs';
import { arch, hostname, networkInterfaces, release } from 'node:os';
import { isContainerInterface } from '../../core/model/container-interface.ts';
import { deliverable, type Values } from '../../core/model/reading.ts';
import { defaultIpv4Route, parseIpv4Routes } from '../../core/model/route-table.ts';
import { plainText } from './facts-text.ts';

export function readBasicFacts(agentVersion: string): Values {
  return deliverable({
    architecture: plainText(arch(), 'arch '),
    kernel: plainText(release(), 'v'),
    hostname: plainText(hostname(), 'host '),
    agentVersion: plainText(agentVersion, 'v'),
    nodeVersion: plainText(process.version, 'v'),
    ipAddresses: plainText(selectAddresses(interfaces(), defaultInterface()).join(','), ''),
  });
}

/** Empty if the system call fails: no file descriptor left, or no netlink. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** The interface of the IPv4 default route; undefined if there is none. */
function defaultInterface(): string | undefined {
  try {
    return defaultIpv4Route(parseIpv4Routes(readFileSync('/proc/net/route', 'latin1'))?.routes ?? [])
      ?.interface;
  } catch {
    return undefined;
  }
}

export interface Address {
  readonly address: string;
  readonly internal: boolean;
}

/**
 * Addresses at which others reach the host: no loopback, no link-local, no bridges of container engines; those
 * of the default route first, then IPv4 before IPv6, unique, at most six.
 */
export function selectAddresses(
  interfaces: Readonly<Record<string, readonly Address[] | undefined>>,
  defaultName: string | undefined,
): readonly string[] {
  const ofDefault = new Set((interfaces[defaultName ?? ''] ?? []).map(({ address }) => address));
  const all = Object.entries(interfaces)
    .flatMap(([name, addresses]) => (isContainerInterface(name) ? [] : (addresses ?? [])))
    .filter(({ address, internal }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address);
  const unique = [...new Set(all)].toSorted(
    (a, b) =>
      Number(ofDefault.has(b)) - Number(ofDefault.has(a)) ||
      Number(a.includes(':')) - Number(b.includes(':')) ||
      (a < b ? -1 : 1),
  );
  return unique.slice(0, ADDRESSES_MAX);
}

/** Six IPv6 addresses of 39 characters with commas fit the 255 characters of an attribute. */
const ADDRESSES_MAX = 6;

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/i.test(address);
}
