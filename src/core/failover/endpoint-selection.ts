/**
 * Selects one of several endpoints of a server, and decides when to try another one. Pure;
 * transport/failover/ drives it.
 *
 *   in use ── endpoint failure ─▶ the next available one is the candidate ── verified ─▶ in use
 *     ▲                                     └── fails too ─▶ the next one
 *     └── a better one, retried at increasing intervals, responds and accepts the token
 *
 * Endpoints are indices of the list; a lower index is better. A failed one is avoided until its retry time
 * unless there is no other. A plaintext endpoint is blocked while an encrypted one before it fails because of
 * its certificate, as an attacker may be in between and would read everything sent unencrypted, or because this
 * host lacks the program for it: whoever removes a package must not remove the encryption.
 */

import type { Schedule } from '../failures/backoff.ts';
import type { Failure, FailureReason } from '../failures/failure.ts';
import { HEALTHY_MS } from '../session/machine.ts';

export interface EndpointHealth {
  /** Failures since it last worked for HEALTHY_MS. */
  readonly failures: number;
  /** Earliest retry, monotonic ms, if there is another endpoint. */
  readonly retryAtMs: number;
  /** The last failure; absent while it works and before the first attempt. */
  readonly failure?: Failure;
  readonly workingSinceMs?: number;
}

export interface EndpointSelection {
  /** The endpoint that worked last. */
  readonly current: number;
  /** The endpoint to try because the current one failed. */
  readonly candidate?: number;
  readonly health: readonly EndpointHealth[];
}

export interface SelectionContext {
  /** For each endpoint, in order. */
  readonly isEncrypted: readonly boolean[];
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  readonly retry: Schedule;
}

/** Intervals of the retries of a failed endpoint: 1 min, 2 min, … 1 h, each shortened by up to a half. */
export const RETRY_SCHEDULE: Schedule = { baseMs: 60_000, capMs: 60 * 60_000 };

const CERTIFICATE_FAILURES: ReadonlySet<FailureReason> = new Set([
  'certificate-date-invalid',
  'clock-wrong',
  'certificate-name-mismatch',
  'certificate-untrusted',
  'certificate-pin-mismatch',
]);

/** No fallback in plaintext after these. */
const BLOCKS_PLAINTEXT: ReadonlySet<FailureReason> = new Set([
  ...CERTIFICATE_FAILURES,
  'dtls-unavailable',
  'dtls-version-mismatch',
]);

/** Failures that another endpoint may avoid. A response of the server itself would be the same there. */
const ENDPOINT_FAILURES: ReadonlySet<FailureReason> = new Set([
  ...CERTIFICATE_FAILURES,
  'server-timeout',
  'port-closed',
  'no-route',
  'dns-failed',
  'connection-reset',
  'unexpected-response',
  'request-blocked',
  'upstream-unavailable',
  'client-certificate-rejected',
  'tls-version-mismatch',
  'tls-failed',
  'dtls-unavailable',
  'dtls-version-mismatch',
  'proxy-unreachable',
  'proxy-denied',
  'captive-portal',
  'redirect-not-followed',
  'endpoints-inconsistent',
  'token-unsuitable',
]);

export function isEndpointFailure({ reason }: Failure): boolean {
  return ENDPOINT_FAILURES.has(reason);
}

export function initialSelection(count: number): EndpointSelection {
  return { current: 0, health: Array.from({ length: count }, () => ({ failures: 0, retryAtMs: 0 })) };
}

/** The endpoint for the next request. */
export function endpointInUse({ current, candidate }: EndpointSelection): number {
  return candidate ?? current;
}

/** The server responded at `endpoint` and accepted the token, if the request had one. */
export function recordSuccess(state: EndpointSelection, endpoint: number, nowMs: number): EndpointSelection {
  const before = state.health[endpoint];
  const workingSinceMs = before?.workingSinceMs ?? nowMs;
  const isHealthy = nowMs - workingSinceMs >= HEALTHY_MS;
  const failures = isHealthy ? 0 : (before?.failures ?? 0);
  const health = state.health.with(endpoint, { failures, retryAtMs: 0, workingSinceMs });
  // A late response of an endpoint that was replaced by a better one changes nothing.
  const isChosen = endpoint === endpointInUse(state) || endpoint <= state.current;
  return isChosen ? { current: endpoint, health } : { ...state, health };
}

export function recordFailure(
  state: EndpointSelection,
  endpoint: number,
  failure: Failure,
  context: SelectionContext,
): EndpointSelection {
  const before = state.health[endpoint];
  // Several requests in flight fail together: this counts as one failure.
  if (endpoint !== endpointInUse(state) && before?.failure && before.retryAtMs > context.nowMs) return state;
  const failures = (before?.failures ?? 0) + 1;
  const retryAtMs = context.nowMs + Math.max(retryDelayMs(failures, context), failure.retryAfterMs ?? 0);
  const health = state.health.with(endpoint, { failures, retryAtMs, failure });
  const inUse = endpointInUse(state);
  // The endpoint is no longer in use, or a better one was only tried; unless this failure blocks the one in
  // use.
  if (endpoint !== inUse && !isBlocked(inUse, health, context.isEncrypted)) return { ...state, health };
  const next = nextEndpoint(health, inUse, context);
  return next === state.current
    ? { current: next, health }
    : { current: state.current, candidate: next, health };
}

/** A better endpoint whose retry is due, if the current one works. */
export function findBetterEndpoint(
  { current, candidate, health }: EndpointSelection,
  nowMs: number,
): number | undefined {
  if (candidate !== undefined) return undefined;
  const better = health.findIndex(({ retryAtMs }, endpoint) => endpoint < current && retryAtMs <= nowMs);
  return better === -1 ? undefined : better;
}

/**
 * The reason of the best failing endpoint, which is stable during an outage, with the details of all. An endpoint that
 * cannot carry the token comes last: it was never in use, and its long retry interval is for another cause.
 */
export function combinedFailure(
  { health }: EndpointSelection,
  urls: readonly string[],
  nowMs: number,
): Failure | undefined {
  const failing = health.flatMap(({ failure }, endpoint) =>
    failure ? [{ failure, url: urls[endpoint] ?? '' }] : [],
  );
  const first = failing.find(({ failure }) => failure.reason !== 'token-unsuitable') ?? failing[0];
  if (!first) return undefined;
  // The retry time of one endpoint does not delay another one.
  if (failing.length === 1) return { reason: first.failure.reason, detail: first.failure.detail };
  const detail = failing.map(({ failure, url }) => `${url}: ${failure.detail}`).join('; ');
  const retryAfterMs = commonRetryAfterMs(health, nowMs);
  return { reason: first.failure.reason, detail, ...(retryAfterMs > 0 && { retryAfterMs }) };
}

/** The wait that all endpoints have requested, ms; 0 if one has requested none or its wait is over. */
function commonRetryAfterMs(health: readonly EndpointHealth[], nowMs: number): number {
  const leftMs = health.map(({ failure, retryAtMs }) =>
    failure?.retryAfterMs === undefined ? 0 : Math.min(failure.retryAfterMs, retryAtMs - nowMs),
  );
  return Math.max(0, Math.min(...leftMs));
}

function nextEndpoint(
  health: readonly EndpointHealth[],
  failed: number,
  { isEncrypted, nowMs }: SelectionContext,
): number {
  const available = health
    .map(({ retryAtMs }, endpoint) => ({ endpoint, retryAtMs }))
    .filter(({ endpoint }) => endpoint !== failed && !isBlocked(endpoint, health, isEncrypted));
  const ready = available.find(({ retryAtMs }) => retryAtMs <= nowMs);
  const [soonest] = [...available].sort((one, other) => one.retryAtMs - other.retryAtMs);
  return (ready ?? soonest)?.endpoint ?? failed;
}

function isBlocked(
  endpoint: number,
  health: readonly EndpointHealth[],
  isEncrypted: readonly boolean[],
): boolean {
  if (isEncrypted[endpoint]) return false;
  return health
    .slice(0, endpoint)
    .some(
      ({ failure }, better) =>
        isEncrypted[better] && failure !== undefined && BLOCKS_PLAINTEXT.has(failure.reason),
    );
}

/** At least half of the interval, so that a fleet does not retry a failed endpoint continuously. */
function retryDelayMs(failures: number, { retry, random }: SelectionContext): number {
  const ceilingMs = Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceilingMs * (1 - random / 2));
}
