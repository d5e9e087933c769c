/**
 * The catalogue of events: everything the agent reports to an operator, each with a stable id, a level and a
 * constant sentence "cause: remedy" (or only a cause). Variable parts are fields; the field `event` has the
 * id, so that `journalctl -u firstlight --grep event=FL-SERVER-TIMEOUT` finds it. Failures
 * (failures.ts) are events too.
 */

import type { FailureReason } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { LogFields, Logger } from '../ports/log.ts';
import { CONNECTION_EVENTS, ENDPOINT_EVENTS } from './connection.ts';
import type { EventEntry, EventLevel } from './definition.ts';
import { DOWNLINK_EVENTS } from './downlink.ts';
import { FAILURE_SENTENCES } from './failure-sentences.ts';
import { HOST_EVENTS } from './host.ts';
import { READING_EVENTS } from './readings.ts';
import { REMOTE_SETTINGS_EVENTS } from './remote-settings.ts';
import { UPDATE_EVENTS } from './updates.ts';

const EVENTS_EXCEPT_FAILURES = {
  ...CONNECTION_EVENTS,
  ...ENDPOINT_EVENTS,
  ...READING_EVENTS,
  ...DOWNLINK_EVENTS,
  ...UPDATE_EVENTS,
  ...HOST_EVENTS,
  ...REMOTE_SETTINGS_EVENTS,
} as const satisfies Record<string, EventEntry>;

type FailureEventId<Reason extends FailureReason = FailureReason> = `FL-${Uppercase<Reason>}`;

export type EventId = keyof typeof EVENTS_EXCEPT_FAILURES | FailureEventId;

/** The event id of a failure: `FL-` and the reason in capitals. */
export function failureEventId<Reason extends FailureReason>(reason: Reason): FailureEventId<Reason> {
  // TypeScript cannot infer toUpperCase; test/core/events/catalogue.test.ts checks it.
  return `FL-${reason.toUpperCase()}` as FailureEventId<Reason>;
}

const FAILURE_EVENTS = Object.fromEntries(
  (Object.keys(FAILURE_SENTENCES) as FailureReason[]).map((reason) => [
    failureEventId(reason),
    { level: FAILURE_POLICIES[reason].level, sentence: FAILURE_SENTENCES[reason] },
  ]),
) as Readonly<Record<FailureEventId, EventEntry>>;

/** All events. */
export const EVENTS: Readonly<Record<EventId, EventEntry>> = { ...EVENTS_EXCEPT_FAILURES, ...FAILURE_EVENTS };

/** Lasting problems other than failures of the session, and the events that end them. */
export const RESOLVED_BY: Readonly<Partial<Record<EventId, readonly EventId[]>>> = {
  'FL-TOKEN-WRITE-FAILED': ['FL-PROVISIONING-COMPLETED'],
  'FL-DISK-WRITE-FAILED': ['FL-DISK-WRITE-RESTORED'],
  // Until the agent ends.
  'FL-STATE-VOLATILE': [],
  'FL-AGENT-STALLED': ['FL-AGENT-RESUMED'],
  'FL-CLOCK-UNSYNCHRONISED': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-UNVERIFIABLE': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-BEFORE-RELEASE': [
    'FL-CLOCK-SYNCHRONISED',
    'FL-CLOCK-TRUSTED',
    'FL-CLOCK-STEPPED',
    'FL-CLOCK-STEP-REVERTED',
  ],
  'FL-CLOCK-STEP-UNCONFIRMED': ['FL-CLOCK-STEP-REVERTED', 'FL-CLOCK-STEPPED'],
  'FL-DOWNLINK-FAILED': ['FL-DOWNLINK-RESTORED'],
  'FL-CONFIG-RELOAD-REJECTED': ['FL-CONFIG-CHANGED', 'FL-CONFIG-UNCHANGED'],
  'FL-REMOTE-SETTINGS-WRITE-FAILED': ['FL-REMOTE-SETTINGS-WRITE-RESTORED'],
  'FL-CONFIG-RELOAD-FAILED': ['FL-CONFIG-CHANGED', 'FL-CONFIG-UNCHANGED'],
};

/**
 * Logs an event. `message` replaces the sentence if only the caller knows the exact problem, such as one of
 * the configuration.
 */
export function logEvent(
  log: Pick<Logger, EventLevel>,
  id: EventId,
  fields: LogFields = {},
  message: string = EVENTS[id].sentence,
): void {
  log[EVENTS[id].level](message, { ...fields, event: id });
}

/** Whether a text is the id of an event. */
export function isEventId(text: unknown): text is EventId {
  return typeof text === 'string' && Object.hasOwn(EVENTS, text);
}

/** Splits a sentence at the first colon; the remedy is empty if there is none. */
export function splitSentence(sentence: string): { readonly cause: string; readonly remedy: string } {
  const at = sentence.indexOf(': ');
  return at < 0
    ? { cause: sentence, remedy: '' }
    : { cause: sentence.slice(0, at), remedy: sentence.slice(at + 2) };
}
