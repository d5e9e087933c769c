/**
 * The narrator: what the session's steps mean to an operator, each change said once.
 *
 * A refusal is told when its reason first appears and not at each repetition; the end of a trouble is told
 * with its length. Nothing here decides anything.
 */

import { LinkedAbort } from '../async/abort.ts';
import { EVENTS, type EventId, refusalId, tell } from '../events/catalogue.ts';
import type { Refusal } from '../failures/failure.ts';
import { formatDuration, formatRoughDuration } from '../model/format-duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogFields, Logger } from '../ports/log.ts';
import type { Event, State } from './state.ts';

/** A trouble that lasts is told again no more often than this, ms. */
const REMIND_AFTER_MS = 3_600_000;

interface Trouble {
  readonly reason: Refusal['reason'];
  /** Monotonic ms: of its begin, and of its last line. */
  readonly sinceMs: number;
  readonly toldMs: number;
}

export class Narrator {
  readonly #log: Logger;
  readonly #server: () => string;
  #isUnsaved = false;
  #trouble: Trouble | undefined;

  readonly #waiting: () => number | undefined;

  /** `server`: by which road it is talked to now; `waiting`: how many readings wait, where that is known. */
  constructor(log: Logger, server: () => string, waiting: () => number | undefined = () => undefined) {
    this.#log = log;
    this.#server = server;
    this.#waiting = waiting;
  }

  /** Tells the step from `before` to `after` by `event`, if it is worth a line. */
  tell(before: State, event: Event, after: State, monotonicMs: number): void {
    switch (event.type) {
      case 'remembered':
        return this.#remembered(event, after);
      case 'intended':
        return tell(this.#log, 'FL-PROVISIONING', { device: event.claim.deviceName, server: this.#server() });
      case 'issued':
        this.#isUnsaved = false;
        this.#over(monotonicMs);
        return tell(this.#log, 'FL-PROVISIONED', deviceOf(after));
      case 'probed':
        return this.#probed(before, event.ours, after, monotonicMs);
      case 'adopted':
        this.#isUnsaved = false;
        this.#over(monotonicMs);
        return tell(this.#log, 'FL-PROVISIONED', deviceOf(after));
      case 'delivered':
        return this.#over(monotonicMs);
      case 'unkept':
        return this.#unsaved(event.refusal, after);
      case 'refused':
        if (before.at === 'adopt') return this.#unsaved(event.refusal, after);
        return this.#refused(before, event.refusal, after, monotonicMs);
      case 'stepped':
      case 'elapsed':
        return;
    }
  }

  #remembered(event: Event & { type: 'remembered' }, after: State): void {
    if (!event.record) return tell(this.#log, 'FL-NO-CREDENTIALS');
    if (event.record.state === 'pending') {
      return tell(this.#log, 'FL-RESUMED', deviceOf(after));
    }
    const { deviceName: device, server } = event.record;
    tell(this.#log, 'FL-CREDENTIALS-FOUND', { device, server });
  }

  #probed(before: State, ours: boolean, after: State, monotonicMs: number): void {
    // The server declined the name and does not know our token either: only now is it a refusal.
    if (after.at === 'wait') return this.#refused(before, after.refusal, after, monotonicMs);
    if (before.at === 'retry') {
      if (ours) tell(this.#log, 'FL-TOKEN-BACK');
      else this.#log.debug('the server does not take the earlier token');
      return;
    }
    if (ours) return tell(this.#log, 'FL-TOKEN-KNOWN');
    this.#tellQuietly('FL-TOKEN-UNKNOWN');
  }

  #refused(before: State, refusal: Refusal, after: State, monotonicMs: number): void {
    const fields: LogFields = {
      reason: refusal.reason,
      seen: refusal.detail,
      while: before.at,
      ...deviceOf(before),
      ...(after.at === 'wait' && { retryInS: Math.ceil(after.forMs / 1000) }),
    };
    if (after.at === 'intend') {
      return tell(this.#log, 'FL-TOKEN-REVOKED', fields);
    }
    if (after.at !== 'wait') {
      return this.#tellQuietly('FL-NAME-DOUBTED', fields);
    }
    const { reason } = refusal;
    const sinceMs = this.#trouble?.sinceMs ?? monotonicMs;
    const isSame = this.#trouble?.reason === reason;
    if (this.#trouble && isSame && monotonicMs - this.#trouble.toldMs < REMIND_AFTER_MS) {
      return this.#log.debug('still refused', fields);
    }
    this.#trouble = { reason, sinceMs, toldMs: monotonicMs };
    const lasts = isSame && { lasts: formatRoughDuration(monotonicMs - sinceMs) };
    tell(this.#log, refusalId(reason), { ...fields, ...lasts });
  }

  /** The token is known and used, but a power cut would lose it: said once, and once when it is over. */
  #unsaved(refusal: Refusal, after: State): void {
    const fields = { seen: refusal.detail, ...deviceOf(after) };
    if (this.#isUnsaved) return this.#log.debug('the token still cannot be stored', fields);
    this.#isUnsaved = true;
    tell(this.#log, 'FL-TOKEN-UNSAVED', fields);
  }

  /** The steps of a repetition are no news: while a trouble lasts they are told to nobody who did not ask. */
  #tellQuietly(id: EventId, fields: LogFields = {}): void {
    if (this.#trouble) this.#log.debug(EVENTS[id].sentence, fields);
    else tell(this.#log, id, fields);
  }

  #over(monotonicMs: number): void {
    if (!this.#trouble) return;
    const { reason } = this.#trouble;
    const lastedMs = monotonicMs - this.#trouble.sinceMs;
    tell(this.#log, END_OF[reason] ?? 'FL-BACK', {
      after: formatDuration(lastedMs),
      afterS: Math.round(lastedMs / 1000),
      waiting: this.#waiting(),
    });
    this.#trouble = undefined;
  }
}

const END_OF: Readonly<Partial<Record<Refusal['reason'], EventId>>> = {
  'store-failed': 'FL-STORE-BACK',
  'credentials-unreadable': 'FL-CREDENTIALS-BACK',
  'credentials-newer': 'FL-CREDENTIALS-BACK',
};

function deviceOf(state: State): LogFields {
  return 'claim' in state ? { device: state.claim.deviceName } : {};
}

/** An operator who watches a first boot hears of a silence long before the request is given up, ms. */
const SILENCE_TOLD_AFTER_MS = 20_000;
/** Provisioning is patient for four minutes; this says so while it is. */
export async function notSilently<T>(
  action: Promise<T>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<T> {
  using over = new LinkedAbort(signal);
  void clock.sleep(SILENCE_TOLD_AFTER_MS, over.signal).then(() => {
    if (over.signal.aborted) return;
    tell(log, 'FL-PROVISIONING-SLOW');
  });
  try {
    return await action;
  } finally {
    over.abort();
  }
}
