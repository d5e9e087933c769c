/** The server's name: which addresses it has, of both kinds, and how long the answer takes. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Check, cross, type Finding, type Timer, tick, wordsOf } from './check.ts';

/** Slower than this a first telemetry is late by seconds, ms. */
const SLOW_MS = 3_000;

export function nameCheck(host: string, clock: Timer): Check {
  return { name: 'name resolution', look: () => look(host, clock) };
}

async function look(host: string, clock: Timer): Promise<Finding> {
  if (isIP(host)) return tick(`${host} is an address: no name to resolve`);
  const startedMs = clock.monotonicMs();
  try {
    const found = await lookup(host, { all: true });
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    const seen = `${host} is ${found.map(({ address }) => address).join(', ')} (${tookMs} ms)`;
    if (tookMs <= SLOW_MS) return tick(seen);
    return cross(
      seen,
      'the name servers answer slowly: each new connection waits for them',
      'check the name servers of this host: resolvectl status, or /etc/resolv.conf',
    );
  } catch (error) {
    return cross(
      `${host}: ${wordsOf(error)}`,
      'the name of the server cannot be resolved, so there is nothing to talk to',
      'check the spelling in server.url, and the name servers of this host: resolvectl status, or /etc/resolv.conf',
    );
  }
}
