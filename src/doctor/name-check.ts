/**
 * The server's name: which addresses it has, of both kinds, how long the answer takes, and whether the name servers lie.
 *
 * A captive portal, and some providers, answer for every name. No server of ours or of anybody's is asked: a name below
 * .invalid does not exist (RFC 6761, 6.4), so an address for one is a lie of the network's own name server. A private address of a
 * public name alone proves nothing, as a company may have both; it is said.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { LinkedAbort } from '../core/async/abort.ts';
import { isPrivateAddress } from '../core/model/private-address.ts';
import { type Check, cross, type Finding, type Timer, tick, wordsOf } from './check.ts';

/** Slower than this a first telemetry is late by seconds, ms. */
const SLOW_MS = 3_000;

/** The dot keeps the search list out of it. */
const NOBODYS_NAME = 'firstlight-doctor.invalid.';
const LIE_MS = 3_000;
/** What ends so, or has no dot, is a name of a house (RFC 6762, 8375, and what is usual). */
const OF_A_HOUSE = /^[^.]*$|\.(local|localdomain|lan|home|internal|intranet|corp|private|home\.arpa|test)$/i;

const SILENT = cross(
  'no name server answered in 15 s',
  'the name of the server cannot be resolved in time, so there is nothing to talk to',
  'check the name servers of this host: resolvectl status, or /etc/resolv.conf',
);

/** The addresses of a name; rejects where it has none. */
export type Ask = (name: string) => Promise<readonly string[]>;

const askHost: Ask = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

export function nameCheck(host: string, clock: Timer, ask: Ask = askHost): Check {
  return { name: 'name resolution', look: (signal) => look(host, { clock, ask }, signal), late: SILENT };
}

async function look(
  host: string,
  { clock, ask }: { readonly clock: Timer; readonly ask: Ask },
  signal: AbortSignal,
): Promise<Finding> {
  if (isIP(host)) return tick(`${host} is an address: no name to resolve`);
  const startedMs = clock.monotonicMs();
  try {
    const found = await ask(host);
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    const isOdd = !OF_A_HOUSE.test(host.replace(/\.$/, '')) && found.every(isPrivateAddress);
    const remark = isOdd ? ', private addresses of a public name: right within a company, else a portal' : '';
    const seen = `${host} is ${found.join(', ')} (${tookMs} ms)${remark}`;
    const lies = await liesOf(ask, clock, signal);
    if (lies.length > 0 && (isOdd || lies.some((address) => found.includes(address))))
      return portal(seen, lies);
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

async function liesOf(ask: Ask, clock: Timer, signal: AbortSignal): Promise<readonly string[]> {
  using over = new LinkedAbort(signal);
  const late = clock.sleep(LIE_MS, over.signal).then((): readonly string[] => []);
  const lies = await Promise.race([ask(NOBODYS_NAME).catch(() => []), late]);
  over.abort();
  return lies;
}

function portal(seen: string, lies: readonly string[]): Finding {
  return cross(
    `${seen}; a name that cannot exist (.invalid) is ${lies.join(', ')}`,
    'the name servers of this network answer for every name, as a captive portal does: nothing gets out before somebody logs in',
    'log in to the network, have this gateway let in without, or give it honest name servers: resolvectl status',
  );
}
