/**
 * The adapter of the `Network` port: compares the addresses and IPv4 routes of this host every two seconds, and only during a
 * wait, because the agent waits for the network only while it is offline. An interface without a link has no address here.
 *
 * Interfaces of container engines and link-local addresses do not count: they come and go on a host that is online.
 */

import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { isContainerInterface } from '../core/model/container-interface.ts';
import { parseIpv4Routes } from '../core/model/route-table.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Network } from '../core/ports/network.ts';

const CHECK_EVERY_MS = 2_000;
const LINK_LOCAL = /^(169\.254\.|fe80:)/i;
const ROUTES = '/proc/net/route';

export interface NetworkOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Default: the addresses and routes of this host. For tests. */
  readonly readConnections?: () => ReadonlySet<string>;
}

export function hostNetwork({ clock, readConnections = connectionsOfThisHost }: NetworkOptions): Network {
  return {
    async nextConnection(signal) {
      let before = readConnections();
      while (!signal.aborted) {
        await clock.sleep(CHECK_EVERY_MS, signal);
        const now = readConnections();
        if ([...now].some((connection) => !before.has(connection))) return;
        // What has gone may come back.
        before = now;
      }
    },
  };
}

/** One text for each address and each route. Without those that cannot be read now (no file descriptor left). */
export function connectionsOfThisHost(): ReadonlySet<string> {
  return new Set([...readOrNone(addresses), ...readOrNone(routes)]);
}

function addresses(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !isContainerInterface(name))
    .flatMap(([name, list = []]) =>
      list
        .filter(({ internal, address }) => !internal && !LINK_LOCAL.test(address))
        .map(({ address }) => `${name} ${address}`),
    );
}

function routes(): readonly string[] {
  const table = parseIpv4Routes(readFileSync(ROUTES, 'utf8'));
  return (table?.routes ?? [])
    .filter((route) => !isContainerInterface(route.interface))
    .map(
      (route) => `${route.interface} ${route.destination}/${route.mask} by ${route.gateway ?? 'the link'}`,
    );
}

function readOrNone(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
