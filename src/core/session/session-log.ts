/**
 * Logs what the session does, each change once: a failure when its reason first appears, the end of an outage
 * with its duration. Decides nothing.
 */

import { ChildAbortController } from '../async/abort.ts';
import { EVENTS, type EventId, failureEventId, logEvent } from '../events/catalogue.ts';
import type { Failure } from '../failures/failure.ts';
import { formatDuration, formatRoughDuration } from '../model/format-duration.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogFields, Logger } from '../ports/log.ts';
import type { SessionEvent, SessionState } from './state.ts';

/** Minimum interval between two log lines of the same outage, ms. */
const REMIND_AFTER_MS = 3_600_000;

interface Outage {
  readonly reason: Failure['reason'];
  /** Monotonic ms of its start and of its last log line. */
  readonly sinceMs: number;
  readonly loggedMs: number;
}

export class SessionLog {
  readonly #log: Logger;
  readonly #endpoint: () => string;
  #isUnsaved = false;
  #outage: Outage | undefined;

  readonly #queuedReadings: () => number | undefined;

  /** `endpoint`: the URL in use; `queuedReadings`: undefined if unknown. */
  constructor(
    log: Logger,
    endpoint: () => string,
    queuedReadings: () => number | undefined = () => undefined,
  ) {
    this.#log = log;
    this.#endpoint = endpoint;
    this.#queuedReadings = queuedReadings;
  }

  /** Logs the step from `before` to `after` by `event` if it matters to an operator. */
  logStep(before: SessionState, event: SessionEvent, after: SessionState, monotonicMs: number): void {
    switch (event.type) {
      case 'loaded':
        return this.#logLoaded(event, after);
      case 'intent-recorded':
        return logEvent(this.#log, 'FL-PROVISIONING-STARTED', {
          device: event.identity.deviceName,
          server: this.#endpoint(),
        });
      case 'token-issued':
        this.#isUnsaved = false;
        this.#logRecovery(monotonicMs);
        return logEvent(this.#log, 'FL-PROVISIONING-COMPLETED', deviceOf(after));
      case 'token-verified':
        return this.#logTokenCheck(before, event.accepted, after, monotonicMs);
      case 'saved':
        this.#isUnsaved = false;
        this.#logRecovery(monotonicMs);
        return logEvent(this.#log, 'FL-PROVISIONING-COMPLETED', deviceOf(after));
      case 'delivered':
        return this.#logRecovery(monotonicMs);
      case 'token-unsaved':
        return this.#logUnsaved(event.failure, after);
      case 'failed':
        if (before.at === 'save') return this.#logUnsaved(event.failure, after);
        return this.#logFailure(before, event.failure, after, monotonicMs);
      case 'progressed':
      case 'wait-over':
        return;
    }
  }

  #logLoaded(event: SessionEvent & { type: 'loaded' }, after: SessionState): void {
    if (!event.record) return logEvent(this.#log, 'FL-CREDENTIALS-NOT-FOUND');
    if (event.record.state === 'pending') {
      return logEvent(this.#log, 'FL-PROVISIONING-RESUMED', deviceOf(after));
    }
    const { deviceName: device, server } = event.record;
    logEvent(this.#log, 'FL-CREDENTIALS-FOUND', { device, server });
  }

  #logTokenCheck(before: SessionState, accepted: boolean, after: SessionState, monotonicMs: number): void {
    // The server declined the name and does not accept the token either: only now is it a failure.
    if (after.at === 'wait') return this.#logFailure(before, after.failure, after, monotonicMs);
    if (before.at === 'verify-previous-token') {
      if (accepted) logEvent(this.#log, 'FL-TOKEN-RESTORED');
      else this.#log.debug('the server rejects the earlier access token');
      return;
    }
    if (accepted) return logEvent(this.#log, 'FL-TOKEN-KNOWN');
    this.#logUnlessOutage('FL-TOKEN-UNKNOWN');
  }

  #logFailure(before: SessionState, failure: Failure, after: SessionState, monotonicMs: number): void {
    const fields: LogFields = {
      reason: failure.reason,
      detail: failure.detail,
      state: before.at,
      ...deviceOf(before),
      ...(after.at === 'wait' && { retryInS: Math.ceil(after.forMs / 1000) }),
    };
    if (after.at === 'record-intent') {
      return logEvent(this.#log, 'FL-TOKEN-REVOKED', fields);
    }
    if (after.at !== 'wait') {
      return this.#logUnlessOutage('FL-TOKEN-CHECK-STARTED', fields);
    }
    const { reason } = failure;
    const sinceMs = this.#outage?.sinceMs ?? monotonicMs;
    const isSame = this.#outage?.reason === reason;
    if (this.#outage && isSame && monotonicMs - this.#outage.loggedMs < REMIND_AFTER_MS) {
      return this.#log.debug('still failing', fields);
    }
    this.#outage = { reason, sinceMs, loggedMs: monotonicMs };
    const lasting = isSame && { lasting: formatRoughDuration(monotonicMs - sinceMs) };
    logEvent(this.#log, failureEventId(reason), { ...fields, ...lasting });
  }

  /** The token is in use but not stored: logged once. */
  #logUnsaved(failure: Failure, after: SessionState): void {
    const fields = { detail: failure.detail, ...deviceOf(after) };
    if (this.#isUnsaved) return this.#log.debug('the access token still cannot be stored', fields);
    this.#isUnsaved = true;
    logEvent(this.#log, 'FL-TOKEN-WRITE-FAILED', fields);
  }

  /** During an outage the steps of each new attempt are logged at debug level only. */
  #logUnlessOutage(id: EventId, fields: LogFields = {}): void {
    if (this.#outage) this.#log.debug(EVENTS[id].sentence, fields);
    else logEvent(this.#log, id, fields);
  }

  #logRecovery(monotonicMs: number): void {
    if (!this.#outage) return;
    const { reason } = this.#outage;
    const lastedMs = monotonicMs - this.#outage.sinceMs;
    logEvent(this.#log, RECOVERY_EVENTS[reason] ?? 'FL-SERVER-REACHABLE', {
      after: formatDuration(lastedMs),
      afterS: Math.round(lastedMs / 1000),
      queuedReadings: this.#queuedReadings(),
    });
    this.#outage = undefined;
  }
}

const RECOVERY_EVENTS: Readonly<Partial<Record<Failure['reason'], EventId>>> = {
  'credentials-storage-failed': 'FL-CREDENTIALS-STORAGE-RESTORED',
  'credentials-unreadable': 'FL-CREDENTIALS-RESTORED',
  'credentials-newer': 'FL-CREDENTIALS-RESTORED',
};

function deviceOf(state: SessionState): LogFields {
  return 'identity' in state ? { device: state.identity.deviceName } : {};
}

/** A user who watches a first boot is warned long before the request times out, ms. */
const SLOW_AFTER_MS = 20_000;

/** Logs a warning while a provisioning request takes long; its time limit is four minutes. */
export async function warnIfSlow<T>(
  action: Promise<T>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<T> {
  using controller = new ChildAbortController(signal);
  void clock.sleep(SLOW_AFTER_MS, controller.signal).then(() => {
    if (controller.signal.aborted) return;
    logEvent(log, 'FL-PROVISIONING-SLOW');
  });
  try {
    return await action;
  } finally {
    controller.abort();
  }
}
