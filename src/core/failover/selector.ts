/**
 * Roads: which of several ways to one server is taken, and when another one is tried. Pure; transport/roads.ts drives it.
 *
 *   in use ── fails in a way that speaks of the road ─▶ the next one that may be tried has to prove itself ─▶ in use
 *     ▲                                                                     └── it fails, too ─▶ the next one
 *     └── a better one, tried again at growing intervals, answers and knows our token
 *
 * Roads are numbers, the preferred one is 0. A road is "better" than those after it. One that failed is left alone for a
 * while, unless there is nothing else. A clear road is barred while an encrypted one before it in the list fails by its
 * certificate: somebody may be in between, and what is said in the clear would be said to them.
 */

import type { Schedule } from '../failures/backoff.ts';
import type { Failure, FailureReason } from '../failures/failure.ts';
import { HEALTHY_MS } from '../session/machine.ts';

export interface EndpointHealth {
  /** Since it last went well for HEALTHY_MS. */
  readonly failures: number;
  /** Not tried again before, monotonic ms, as long as there is another. */
  readonly retryAtMs: number;
  /** Why it failed last; absent while it works, and before it was ever tried. */
  readonly failure?: Failure;
  readonly workingSinceMs?: number;
}

export interface EndpointSelection {
  /** The one that is known to work, or was. */
  readonly current: number;
  /** The one that is tried instead, because the current one failed. */
  readonly candidate?: number;
  readonly health: readonly EndpointHealth[];
}

export interface SelectionContext {
  /** Of each road, in order. */
  readonly isEncrypted: readonly boolean[];
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  readonly retry: Schedule;
}

/** How soon a road that failed is tried again: 1 min, 2 min, … 1 h, less up to a half. */
export const RETRY_SCHEDULE: Schedule = { baseMs: 60_000, capMs: 60 * 60_000 };

const CERTIFICATE_FAILURES: ReadonlySet<FailureReason> = new Set([
  'certificate-date-invalid',
  'clock-wrong',
  'certificate-name-mismatch',
  'certificate-untrusted',
  'certificate-pin-mismatch',
]);

/** What another road to the same server could do better. An answer of the server's own would be the same there. */
const ENDPOINT_FAILURES: ReadonlySet<FailureReason> = new Set([
  ...CERTIFICATE_FAILURES,
  'server-timeout',
  'port-closed',
  'no-route',
  'dns-failed',
  'connection-reset',
  'unexpected-response',
  'upstream-unavailable',
  'client-certificate-rejected',
  'tls-version-mismatch',
  'tls-failed',
  'proxy-unreachable',
  'proxy-denied',
  'captive-portal',
  'redirect-not-followed',
  'endpoints-inconsistent',
]);

export function isEndpointFailure({ reason }: Failure): boolean {
  return ENDPOINT_FAILURES.has(reason);
}

export function initialSelection(count: number): EndpointSelection {
  return { current: 0, health: Array.from({ length: count }, () => ({ failures: 0, retryAtMs: 0 })) };
}

/** The road for the next request. */
export function endpointInUse({ current, candidate }: EndpointSelection): number {
  return candidate ?? current;
}

/** `road` brought an answer of the server, to a request that was made there and with a token it knows, if one was asked. */
export function recordSuccess(state: EndpointSelection, endpoint: number, nowMs: number): EndpointSelection {
  const before = state.health[endpoint];
  const workingSinceMs = before?.workingSinceMs ?? nowMs;
  const isHealthy = nowMs - workingSinceMs >= HEALTHY_MS;
  const failures = isHealthy ? 0 : (before?.failures ?? 0);
  const health = state.health.with(endpoint, { failures, retryAtMs: 0, workingSinceMs });
  // An answer that comes late over a road that was left for a better one changes nothing.
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
  // Several requests were under way when it failed, and it is one failure.
  if (endpoint !== endpointInUse(state) && before?.failure && before.retryAtMs > context.nowMs) return state;
  const failures = (before?.failures ?? 0) + 1;
  const retryAtMs = context.nowMs + Math.max(retryDelayMs(failures, context), failure.retryAfterMs ?? 0);
  const health = state.health.with(endpoint, { failures, retryAtMs, failure });
  const inUse = endpointInUse(state);
  // One that was left meanwhile, or a better one that was only tried; unless that bars the one in use.
  if (endpoint !== inUse && !isBlocked(inUse, health, context.isEncrypted)) return { ...state, health };
  const next = nextEndpoint(health, inUse, context);
  return next === state.current
    ? { current: next, health }
    : { current: state.current, candidate: next, health };
}

/** A better road than the current one whose time has come, if the current one works. */
export function findBetterEndpoint(
  { current, candidate, health }: EndpointSelection,
  nowMs: number,
): number | undefined {
  if (candidate !== undefined) return undefined;
  const better = health.findIndex(({ retryAtMs }, endpoint) => endpoint < current && retryAtMs <= nowMs);
  return better === -1 ? undefined : better;
}

/** The same reason as long as the same road is the best of those that fail, so that a trouble is told once. */
export function combinedFailure(
  { health }: EndpointSelection,
  urls: readonly string[],
  nowMs: number,
): Failure | undefined {
  const failing = health.flatMap(({ failure }, endpoint) =>
    failure ? [{ failure: failure, url: urls[endpoint] ?? '' }] : [],
  );
  const [first, ...others] = failing;
  if (!first) return undefined;
  // When one road wants to be asked again is no reason to keep another one waiting.
  if (others.length === 0) return { reason: first.failure.reason, detail: first.failure.detail };
  const detail = failing.map(({ failure, url }) => `${url}: ${failure.detail}`).join('; ');
  const retryAfterMs = commonRetryAfterMs(health, nowMs);
  return { reason: first.failure.reason, detail, ...(retryAfterMs > 0 && { retryAfterMs }) };
}

/** How long all roads want to be left alone, ms; 0 when one of them has not said so, or its time has come. */
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
    .map(({ retryAtMs }, endpoint) => ({ endpoint: endpoint, retryAtMs }))
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
        isEncrypted[better] && failure !== undefined && CERTIFICATE_FAILURES.has(failure.reason),
    );
}

/** Never less than half, or a fleet that lost its road would try it for ever. */
function retryDelayMs(failures: number, { retry, random }: SelectionContext): number {
  const ceilingMs = Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceilingMs * (1 - random / 2));
}
