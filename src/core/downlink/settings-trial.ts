/**
 * Decides which settings of the server count. A change is on trial until telemetry that was read with it is accepted; only then
 * it is stored. Pure; app/remote/remote-settings.ts drives it.
 *
 *   settled ── change of the server ─▶ on trial ── telemetry accepted ─▶ settled with the new values
 *      ▲                                  └── none within five minutes ─▶ taken back: the values before count again
 *      └── the same value is not tried again until the server changes it or sends it in a notification of its own
 *
 * Only one change is on trial; later ones wait. A power cut during a trial ends in the stored values.
 */

/** A value as text; null: the server has none, so that the local value counts. */
export type Wish = string | null;
/** By the key of the setting. */
export type Changes = ReadonlyMap<string, Wish>;

export interface ConfirmedSetting {
  readonly text: string;
  /** When its trial began, Unix ms. */
  readonly sinceMs: number;
}

/** What outlives a restart. */
export interface StoredSettings {
  readonly confirmed: ReadonlyMap<string, ConfirmedSetting>;
  /** Wishes that were taken back and that the server may still have. */
  readonly rejected: Changes;
}

export interface Trial {
  readonly changes: Changes;
  /** Monotonic ms, ms since boot, and Unix ms. */
  readonly startedMs: number;
  readonly startedBootMs: number;
  readonly sinceMs: number;
  /** Telemetry was accepted before, so that the change is the likely cause if none is accepted now. */
  readonly isTelemetryExpected: boolean;
}

export interface SettingsState extends StoredSettings {
  /** What the server wants; for a key that is absent, what counts already. */
  readonly wanted: Changes;
  /** Wishes that do not fit the local configuration. */
  readonly unfit: Changes;
  readonly trial?: Trial;
  /** Last acceptance of telemetry, monotonic ms. */
  readonly acceptedMs?: number;
  /** No trial begins before the server has accepted telemetry again. */
  readonly awaitsTelemetry: boolean;
  /** Trials that failed since the last one that did not. */
  readonly failures: number;
  /** No trial begins before, monotonic ms. */
  readonly retryAtMs: number;
  /** The last times at which changes were tried, monotonic ms. */
  readonly attemptsMs: readonly number[];
}

/** Shared attributes that are settings; undefined: the value is refused, and what counts stays. */
export type SettingsUpdate =
  | { readonly is: 'all'; readonly values: ReadonlyMap<string, string | undefined> }
  | { readonly is: 'changed'; readonly values: ReadonlyMap<string, string | undefined> }
  | { readonly is: 'deleted'; readonly keys: readonly string[] };

export interface TrialStart {
  readonly monotonicMs: number;
  readonly bootMs: number;
  readonly wallMs: number;
  /** Time between two readings before the change. */
  readonly intervalMs: number;
}

/** Longest time of a value that stops telemetry. */
export const TRIAL_MS = 5 * 60_000;
/** Attributes that are saved one by one are tried together. */
export const ATTEMPT_SPACING_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Each trial restarts the loops and may write to the flash: a server must not be able to wear it out. */
export const ATTEMPTS_PER_HOUR = 10;
/** Failed trials in a row without a wait; the wait after the next one, which doubles, and its limit. */
const [FREE_FAILURES, RETRY_MS, RETRY_MS_MAX] = [2, 10 * 60_000, HOUR_MS];

export function initialState({ confirmed, rejected }: StoredSettings): SettingsState {
  return {
    confirmed,
    rejected,
    wanted: new Map(),
    unfit: new Map(),
    awaitsTelemetry: false,
    failures: 0,
    retryAtMs: 0,
    attemptsMs: [],
  };
}

export function receive(state: SettingsState, update: SettingsUpdate): SettingsState {
  const next = update.is === 'all' ? receiveAll(state, update.values) : receiveNews(state, newsOf(update));
  const isNew = !isSame(pendingChanges(state), pendingChanges(next));
  return isNew ? { ...next, awaitsTelemetry: false } : next;
}

function receiveAll(state: SettingsState, values: ReadonlyMap<string, string | undefined>): SettingsState {
  const wanted = new Map<string, Wish>();
  for (const changes of [state.confirmed, state.rejected, state.wanted, state.trial?.changes ?? NONE])
    for (const key of changes.keys()) wanted.set(key, null);
  for (const [key, text] of values) {
    if (text === undefined) wanted.delete(key);
    else wanted.set(key, text);
  }
  const stillWanted = (changes: Changes) =>
    new Map([...changes].filter(([key, wish]) => wanted.get(key) === wish));
  return { ...state, wanted, rejected: stillWanted(state.rejected), unfit: stillWanted(state.unfit) };
}

/** A notification about a key also means: try it again. */
function receiveNews(state: SettingsState, news: ReadonlyMap<string, Wish | undefined>): SettingsState {
  const wanted = new Map(state.wanted);
  for (const [key, wish] of news) {
    if (wish === undefined) wanted.delete(key);
    else wanted.set(key, wish);
  }
  const withoutNews = (changes: Changes) => without(changes, news);
  return { ...state, wanted, rejected: withoutNews(state.rejected), unfit: withoutNews(state.unfit) };
}

function newsOf(
  update: SettingsUpdate & { readonly is: 'changed' | 'deleted' },
): ReadonlyMap<string, Wish | undefined> {
  return update.is === 'deleted' ? new Map(update.keys.map((key) => [key, null])) : update.values;
}

/** What the server wants and does not count. */
export function pendingChanges({ wanted, confirmed, rejected, unfit }: SettingsState): Changes {
  return new Map(
    [...wanted].filter(
      ([key, wish]) =>
        wish !== (confirmed.get(key)?.text ?? null) &&
        !(rejected.has(key) && rejected.get(key) === wish) &&
        !(unfit.has(key) && unfit.get(key) === wish),
    ),
  );
}

/** The changes to try next: those of `alone` after all others, so that a failure is blamed on nothing else. */
export function nextChanges(state: SettingsState, alone: ReadonlySet<string>): Changes {
  const pending = pendingChanges(state);
  const others = new Map([...pending].filter(([key]) => !alone.has(key)));
  return others.size > 0 ? others : pending;
}

/** When the next trial may begin, monotonic ms; Infinity: not before something happens. */
export function nextStartMs(state: SettingsState): number {
  if (state.trial || state.awaitsTelemetry || pendingChanges(state).size === 0)
    return Number.POSITIVE_INFINITY;
  const { attemptsMs, retryAtMs } = state;
  const [tenth] = attemptsMs.slice(-ATTEMPTS_PER_HOUR);
  const last = attemptsMs.at(-1) ?? Number.NEGATIVE_INFINITY;
  const isLimited = tenth !== undefined && attemptsMs.length >= ATTEMPTS_PER_HOUR;
  return Math.max(retryAtMs, last + ATTEMPT_SPACING_MS, isLimited ? tenth + HOUR_MS : 0);
}

export function startTrial(state: SettingsState, changes: Changes, at: TrialStart): SettingsState {
  const acceptedMs = state.acceptedMs ?? Number.NEGATIVE_INFINITY;
  return {
    ...state,
    trial: {
      changes,
      startedMs: at.monotonicMs,
      startedBootMs: Math.floor(at.bootMs),
      sinceMs: at.wallMs,
      isTelemetryExpected: at.monotonicMs - acceptedMs <= TRIAL_MS + at.intervalMs,
    },
  };
}

/** For changes that cannot stop telemetry. */
export function applyWithoutTrial(state: SettingsState, changes: Changes, at: TrialStart): SettingsState {
  return confirm(startTrial(state, changes, at));
}

/** Changes were tried, of which `unfit` do not fit the local configuration. The others begin next, if there are any. */
export function recordAttempt(state: SettingsState, unfit: Changes, monotonicMs: number): SettingsState {
  return {
    ...state,
    unfit: new Map([...state.unfit, ...unfit]),
    attemptsMs: [...state.attemptsMs, monotonicMs].slice(-ATTEMPTS_PER_HOUR),
  };
}

/** The local configuration was read again, so that they may fit now. */
export function reconsider(state: SettingsState): SettingsState {
  return { ...state, unfit: new Map() };
}

/** Drops what is known about a key until the server sends it again. */
export function forget(state: SettingsState, key: string): SettingsState {
  const keys = new Map([[key, null]]);
  return {
    ...state,
    confirmed: without(state.confirmed, keys),
    rejected: without(state.rejected, keys),
    wanted: without(state.wanted, keys),
    unfit: without(state.unfit, keys),
  };
}

/** The server accepted telemetry; `readBootMs`: when its newest reading was taken, ms since boot. */
export function acceptTelemetry(
  state: SettingsState,
  readBootMs: number,
  monotonicMs: number,
): SettingsState {
  const accepted = { ...state, acceptedMs: monotonicMs, awaitsTelemetry: false };
  return state.trial && readBootMs >= state.trial.startedBootMs ? confirm(accepted) : accepted;
}

/** When the trial fails, monotonic ms; Infinity without a trial. */
export function trialEndMs({ trial }: SettingsState): number {
  return trial ? trial.startedMs + TRIAL_MS : Number.POSITIVE_INFINITY;
}

/**
 * Takes the trial back. If telemetry was not expected, the change may be innocent: it is tried again as soon as telemetry is
 * accepted without it.
 */
export function takeBack(
  state: SettingsState,
  monotonicMs: number,
  isRejected = state.trial?.isTelemetryExpected ?? false,
): SettingsState {
  const { trial, ...rest } = state;
  if (!trial) return state;
  if (!isRejected) return { ...rest, awaitsTelemetry: true };
  const failures = state.failures + 1;
  const doublings = Math.min(failures - FREE_FAILURES - 1, 30);
  const waitMs = doublings < 0 ? 0 : Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** doublings);
  const stillWanted = [...trial.changes].filter(([key, wish]) => state.wanted.get(key) === wish);
  const rejected = new Map([...state.rejected, ...stillWanted]);
  return { ...rest, rejected, awaitsTelemetry: true, failures, retryAtMs: monotonicMs + waitMs };
}

/**
 * What to store, after `stored`. A wish that was taken back and is being tried again stays stored: the end of that trial changes it
 * with one write, or not at all.
 */
export function settingsToStore(state: SettingsState, stored: StoredSettings): StoredSettings {
  const tried = new Map([...pendingChanges(state), ...(state.trial?.changes ?? NONE)]);
  const kept = [...stored.rejected].filter(([key]) => tried.has(key));
  return { confirmed: state.confirmed, rejected: new Map([...kept, ...state.rejected]) };
}

/** The values that count with `changes`, in ascending order of precedence. */
export function valuesWith(
  { confirmed }: StoredSettings,
  changes: Changes = NONE,
): readonly { readonly key: string; readonly text: string }[] {
  const kept = [...confirmed].filter(([key]) => changes.get(key) !== null);
  const added = [...changes].flatMap(([key, wish]) => (wish === null ? [] : [{ key, text: wish }]));
  return [...kept.map(([key, { text }]) => ({ key, text })), ...added];
}

const NONE: Changes = new Map();

function confirm(state: SettingsState): SettingsState {
  const { trial, ...rest } = state;
  if (!trial) return state;
  const confirmed = new Map(state.confirmed);
  for (const [key, wish] of trial.changes) {
    if (wish === null) confirmed.delete(key);
    else confirmed.set(key, { text: wish, sinceMs: trial.sinceMs });
  }
  return { ...rest, confirmed, rejected: without(state.rejected, trial.changes), failures: 0, retryAtMs: 0 };
}

function without<T>(map: ReadonlyMap<string, T>, keys: ReadonlyMap<string, unknown>): ReadonlyMap<string, T> {
  return new Map([...map].filter(([key]) => !keys.has(key)));
}

function isSame(one: Changes, other: Changes): boolean {
  return (
    one.size === other.size && [...one].every(([key, wish]) => other.get(key) === wish && other.has(key))
  );
}
