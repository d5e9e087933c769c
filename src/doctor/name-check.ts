/**
 * Checks the name of the server: its addresses, the time of the lookup, and spoofed answers.
 *
 * A captive portal and some providers resolve every name. A name below .invalid does not exist (RFC 6761, 6.4), so an address for it
 * is spoofed by the name server of this network. A private address for a public name proves nothing alone, but is reported.
 */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ChildAbortController } from '../core/async/abort.ts';
import { isPrivateAddress } from '../core/model/private-address.ts';
import { type Check, type CheckClock, type CheckResult, describeError, fail, pass } from './check.ts';

/** A slower lookup delays each new connection by seconds, ms. */
const SLOW_MS = 3_000;

/** The final dot excludes the search list of the resolver. */
const NONEXISTENT_NAME = 'firstlight-doctor.invalid.';
const SPOOF_CHECK_MS = 3_000;
/** Names of local networks: without a dot, or with a local suffix (RFC 6762, RFC 8375, common use). */
const LOCAL_NAMES = /^[^.]*$|\.(local|localdomain|lan|home|internal|intranet|corp|private|home\.arpa|test)$/i;

const TIMED_OUT = fail(
  'no response from a name server in 15 s',
  'the agent cannot resolve the name of the server, so it cannot connect',
  'check the name servers of this host: resolvectl status, or /etc/resolv.conf',
);

/** Resolves a name to its addresses; rejects if it has none. */
export type ResolveName = (name: string) => Promise<readonly string[]>;

const resolveOnHost: ResolveName = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

export function nameCheck(host: string, clock: CheckClock, resolveName: ResolveName = resolveOnHost): Check {
  return {
    name: 'name resolution',
    run: (signal) => checkName(host, { clock, resolveName }, signal),
    timeoutResult: TIMED_OUT,
  };
}

async function checkName(
  host: string,
  { clock, resolveName }: { readonly clock: CheckClock; readonly resolveName: ResolveName },
  signal: AbortSignal,
): Promise<CheckResult> {
  if (isIP(host)) return pass(`${host} is an address, so no name must be resolved`);
  const startedMs = clock.monotonicMs();
  try {
    const addresses = await resolveName(host);
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    const isSuspicious = !LOCAL_NAMES.test(host.replace(/\.$/, '')) && addresses.every(isPrivateAddress);
    const remark = isSuspicious
      ? ', private addresses for a public name: normal in a company network, otherwise a captive portal'
      : '';
    const observed = `${host} is ${addresses.join(', ')} (${tookMs} ms)${remark}`;
    const spoofedAddresses = await findSpoofedAddresses(resolveName, clock, signal);
    if (
      spoofedAddresses.length > 0 &&
      (isSuspicious || spoofedAddresses.some((address) => addresses.includes(address)))
    )
      return captivePortalResult(observed, spoofedAddresses);
    if (tookMs <= SLOW_MS) return pass(observed);
    return fail(
      observed,
      'the name servers respond slowly, which delays each new connection',
      'check the name servers of this host: resolvectl status, or /etc/resolv.conf',
    );
  } catch (error) {
    return fail(
      `${host}: ${describeError(error)}`,
      'the agent cannot resolve the name of the server, so it cannot connect',
      'check the spelling in server.url, and the name servers of this host: resolvectl status, or /etc/resolv.conf',
    );
  }
}

async function findSpoofedAddresses(
  resolveName: ResolveName,
  clock: CheckClock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  using timer = new ChildAbortController(signal);
  const timedOut = clock.sleep(SPOOF_CHECK_MS, timer.signal).then((): readonly string[] => []);
  const spoofedAddresses = await Promise.race([resolveName(NONEXISTENT_NAME).catch(() => []), timedOut]);
  timer.abort();
  return spoofedAddresses;
}

function captivePortalResult(observed: string, spoofedAddresses: readonly string[]): CheckResult {
  return fail(
    `${observed}; a name that cannot exist (.invalid) also resolves, to ${spoofedAddresses.join(', ')}`,
    'the name servers of this network resolve every name, as a captive portal does: it blocks all traffic until a login',
    'log in to the network, exempt this gateway from the login, or configure other name servers: resolvectl status',
  );
}
