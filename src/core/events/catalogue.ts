/**
 * Events: everything the agent tells an operator, each with an id that never changes, a level, and a constant sentence.
 *
 * A sentence is "what happened: what to do"; what is only good to know has no second half. What varies goes into fields, of
 * which `event` is the id, so that a line is found by it: `journalctl -u firstlight --grep event=FL-SERVER-TIMEOUT`. The refusals of
 * verdicts.ts are events too, with `FL-` before their reason. Status, the README and the man page list what is here.
 */

import type { FailureReason } from '../failures/failure.ts';
import { FAILURE_POLICIES } from '../failures/policies.ts';
import type { LogFields, Logger } from '../ports/log.ts';
import { CONNECTION_EVENTS, ENDPOINT_EVENTS } from './connection.ts';
import type { EventEntry, EventLevel } from './definition.ts';
import { HOST_EVENTS } from './host.ts';
import { READING_EVENTS } from './readings.ts';

const EVENTS_EXCEPT_FAILURES = {
  ...CONNECTION_EVENTS,
  ...ENDPOINT_EVENTS,
  ...READING_EVENTS,
  ...HOST_EVENTS,
} as const satisfies Record<string, EventEntry>;

type FailureEventId<Reason extends FailureReason = FailureReason> = `FL-${Uppercase<Reason>}`;

export type EventId = keyof typeof EVENTS_EXCEPT_FAILURES | FailureEventId;

/** The refusal's id: `FL-` and its reason in capitals. */
export function failureEventId<Reason extends FailureReason>(reason: Reason): FailureEventId<Reason> {
  // The language cannot follow toUpperCase; test/core/events.test.ts does.
  return `FL-${reason.toUpperCase()}` as FailureEventId<Reason>;
}

const FAILURE_EVENTS = Object.fromEntries(
  Object.entries(FAILURE_POLICIES).map(([reason, { level, sentence }]) => [
    failureEventId(reason as FailureReason),
    { level, sentence },
  ]),
) as Readonly<Record<FailureEventId, EventEntry>>;

/** The catalogue. */
export const EVENTS: Readonly<Record<EventId, EventEntry>> = { ...EVENTS_EXCEPT_FAILURES, ...FAILURE_EVENTS };

/** Troubles beside those of the conversation that last, and what tells that they are over. */
export const RESOLVED_BY: Readonly<Partial<Record<EventId, readonly EventId[]>>> = {
  'FL-TOKEN-WRITE-FAILED': ['FL-PROVISIONING-COMPLETED'],
  'FL-DISK-WRITE-FAILED': ['FL-DISK-WRITE-RESTORED'],
  'FL-AGENT-STALLED': ['FL-AGENT-RESUMED'],
  'FL-CLOCK-UNSYNCHRONISED': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-UNVERIFIABLE': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-STEP-UNCONFIRMED': ['FL-CLOCK-STEP-REVERTED', 'FL-CLOCK-STEPPED'],
  'FL-CONFIG-RELOAD-REJECTED': ['FL-CONFIG-CHANGED', 'FL-CONFIG-UNCHANGED'],
  'FL-CONFIG-RELOAD-FAILED': ['FL-CONFIG-CHANGED', 'FL-CONFIG-UNCHANGED'],
};

/**
 * Writes the event's line. `says` stands in for the sentence where only the place that tells knows what exactly is wrong, such
 * as a problem of the configuration.
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

/** A sentence's two halves. The first ends at the first colon; the second is empty where there is nothing to do. */
export function splitSentence(sentence: string): { readonly cause: string; readonly remedy: string } {
  const at = sentence.indexOf(': ');
  return at < 0
    ? { cause: sentence, remedy: '' }
    : { cause: sentence.slice(0, at), remedy: sentence.slice(at + 2) };
}
