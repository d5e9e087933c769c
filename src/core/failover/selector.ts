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
import type { Refusal, RefusalReason } from '../failures/failure.ts';
import { HEALTHY_MS } from '../session/machine.ts';

export interface RoadHealth {
  /** Since it last went well for HEALTHY_MS. */
  readonly failures: number;
  /** Not tried again before, monotonic ms, as long as there is another. */
  readonly retryAtMs: number;
  /** Why it failed last; absent while it works, and before it was ever tried. */
  readonly refusal?: Refusal;
  readonly workingSinceMs?: number;
}

export interface RoadsState {
  /** The one that is known to work, or was. */
  readonly current: number;
  /** The one that is tried instead, because the current one failed. */
  readonly candidate?: number;
  readonly health: readonly RoadHealth[];
}

export interface RoadsContext {
  /** Of each road, in order. */
  readonly isEncrypted: readonly boolean[];
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  readonly retry: Schedule;
}

/** How soon a road that failed is tried again: 1 min, 2 min, … 1 h, less up to a half. */
export const RETRY: Schedule = { baseMs: 60_000, capMs: 60 * 60_000 };

const CERTIFICATE: ReadonlySet<RefusalReason> = new Set([
  'certificate-dates',
  'clock-wrong',
  'certificate-name',
  'certificate-untrusted',
  'certificate-pin',
]);

/** What another road to the same server could do better. An answer of the server's own would be the same there. */
const OF_THE_ROAD: ReadonlySet<RefusalReason> = new Set([
  ...CERTIFICATE,
  'silent',
  'port-closed',
  'no-route',
  'name-not-found',
  'reset',
  'unintelligible',
  'upstream-away',
  'client-certificate',
  'tls-version',
  'tls-failed',
  'proxy-away',
  'proxy-refused',
  'captive-portal',
  'redirected',
  'roads-disagree',
]);

export function speaksOfTheRoad({ reason }: Refusal): boolean {
  return OF_THE_ROAD.has(reason);
}

export function startOfRoads(count: number): RoadsState {
  return { current: 0, health: Array.from({ length: count }, () => ({ failures: 0, retryAtMs: 0 })) };
}

/** The road for the next request. */
export function roadInUse({ current, candidate }: RoadsState): number {
  return candidate ?? current;
}

/** `road` brought an answer of the server, to a request that was made there and with a token it knows, if one was asked. */
export function roadWorked(state: RoadsState, road: number, nowMs: number): RoadsState {
  const before = state.health[road];
  const workingSinceMs = before?.workingSinceMs ?? nowMs;
  const isHealthy = nowMs - workingSinceMs >= HEALTHY_MS;
  const failures = isHealthy ? 0 : (before?.failures ?? 0);
  const health = state.health.with(road, { failures, retryAtMs: 0, workingSinceMs });
  // An answer that comes late over a road that was left for a better one changes nothing.
  const isChosen = road === roadInUse(state) || road <= state.current;
  return isChosen ? { current: road, health } : { ...state, health };
}

export function roadFailed(
  state: RoadsState,
  road: number,
  refusal: Refusal,
  context: RoadsContext,
): RoadsState {
  const before = state.health[road];
  // Several requests were under way when it failed, and it is one failure.
  if (road !== roadInUse(state) && before?.refusal && before.retryAtMs > context.nowMs) return state;
  const failures = (before?.failures ?? 0) + 1;
  const retryAtMs = context.nowMs + Math.max(pauseMs(failures, context), refusal.retryAfterMs ?? 0);
  const health = state.health.with(road, { failures, retryAtMs, refusal });
  const inUse = roadInUse(state);
  // One that was left meanwhile, or a better one that was only tried; unless that bars the one in use.
  if (road !== inUse && !isBarred(inUse, health, context.isEncrypted)) return { ...state, health };
  const next = nextRoad(health, inUse, context);
  return next === state.current
    ? { current: next, health }
    : { current: state.current, candidate: next, health };
}

/** A better road than the current one whose time has come, if the current one works. */
export function betterRoad({ current, candidate, health }: RoadsState, nowMs: number): number | undefined {
  if (candidate !== undefined) return undefined;
  const better = health.findIndex(({ retryAtMs }, road) => road < current && retryAtMs <= nowMs);
  return better === -1 ? undefined : better;
}

/** The same reason as long as the same road is the best of those that fail, so that a trouble is told once. */
export function refusalOfRoads(
  { health }: RoadsState,
  urls: readonly string[],
  nowMs: number,
): Refusal | undefined {
  const failing = health.flatMap(({ refusal }, road) =>
    refusal ? [{ refusal, url: urls[road] ?? '' }] : [],
  );
  const [first, ...others] = failing;
  if (!first) return undefined;
  // When one road wants to be asked again is no reason to keep another one waiting.
  if (others.length === 0) return { reason: first.refusal.reason, detail: first.refusal.detail };
  const detail = failing.map(({ refusal, url }) => `${url}: ${refusal.detail}`).join('; ');
  const retryAfterMs = askedOfAllMs(health, nowMs);
  return { reason: first.refusal.reason, detail, ...(retryAfterMs > 0 && { retryAfterMs }) };
}

/** How long all roads want to be left alone, ms; 0 when one of them has not said so, or its time has come. */
function askedOfAllMs(health: readonly RoadHealth[], nowMs: number): number {
  const leftMs = health.map(({ refusal, retryAtMs }) =>
    refusal?.retryAfterMs === undefined ? 0 : Math.min(refusal.retryAfterMs, retryAtMs - nowMs),
  );
  return Math.max(0, Math.min(...leftMs));
}

function nextRoad(
  health: readonly RoadHealth[],
  failed: number,
  { isEncrypted, nowMs }: RoadsContext,
): number {
  const open = health
    .map(({ retryAtMs }, road) => ({ road, retryAtMs }))
    .filter(({ road }) => road !== failed && !isBarred(road, health, isEncrypted));
  const rested = open.find(({ retryAtMs }) => retryAtMs <= nowMs);
  const [soonest] = [...open].sort((one, other) => one.retryAtMs - other.retryAtMs);
  return (rested ?? soonest)?.road ?? failed;
}

function isBarred(road: number, health: readonly RoadHealth[], isEncrypted: readonly boolean[]): boolean {
  if (isEncrypted[road]) return false;
  return health
    .slice(0, road)
    .some(
      ({ refusal }, better) =>
        isEncrypted[better] && refusal !== undefined && CERTIFICATE.has(refusal.reason),
    );
}

/** Never less than half, or a fleet that lost its road would try it for ever. */
function pauseMs(failures: number, { retry, random }: RoadsContext): number {
  const ceilingMs = Math.min(retry.capMs, retry.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceilingMs * (1 - random / 2));
}
