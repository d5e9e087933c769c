/**
 * Events: everything the agent tells an operator, each with an id that never changes, a level, and a constant sentence.
 *
 * A sentence is "what happened: what to do"; what is only good to know has no second half. What varies goes into fields, of
 * which `event` is the id, so that a line is found by it: `journalctl -u firstlight --grep event=FL-SILENT`. The refusals of
 * verdicts.ts are events too, with `FL-` before their reason. Status, the README and the man page list what is here.
 */

import type { RefusalReason } from '../failures/failure.ts';
import { VERDICTS } from '../failures/policies.ts';
import type { LogFields, Logger } from '../ports/log.ts';
import { CONVERSATION_EVENTS, ROAD_EVENTS } from './connection.ts';
import type { EventEntry, EventLevel } from './definition.ts';
import { HOST_EVENTS } from './host.ts';
import { READING_EVENTS } from './readings.ts';

const TOLD = {
  ...CONVERSATION_EVENTS,
  ...ROAD_EVENTS,
  ...READING_EVENTS,
  ...HOST_EVENTS,
} as const satisfies Record<string, EventEntry>;

type RefusalId<Reason extends RefusalReason = RefusalReason> = `FL-${Uppercase<Reason>}`;

export type EventId = keyof typeof TOLD | RefusalId;

/** The refusal's id: `FL-` and its reason in capitals. */
export function refusalId<Reason extends RefusalReason>(reason: Reason): RefusalId<Reason> {
  // The language cannot follow toUpperCase; test/core/events.test.ts does.
  return `FL-${reason.toUpperCase()}` as RefusalId<Reason>;
}

const OF_REFUSALS = Object.fromEntries(
  Object.entries(VERDICTS).map(([reason, { level, sentence }]) => [
    refusalId(reason as RefusalReason),
    { level, sentence },
  ]),
) as Readonly<Record<RefusalId, EventEntry>>;

/** The catalogue. */
export const EVENTS: Readonly<Record<EventId, EventEntry>> = { ...TOLD, ...OF_REFUSALS };

/** Troubles beside those of the conversation that last, and what tells that they are over. */
export const ENDED_BY: Readonly<Partial<Record<EventId, readonly EventId[]>>> = {
  'FL-TOKEN-UNSAVED': ['FL-PROVISIONED'],
  'FL-DISK-REFUSES': ['FL-DISK-BACK'],
  'FL-STANDS-STILL': ['FL-GOES-ON'],
  'FL-CLOCK-UNSYNCHRONISED': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-NO-WITNESS': ['FL-CLOCK-SYNCHRONISED'],
  'FL-CLOCK-DOUBTED': ['FL-CLOCK-BACK', 'FL-CLOCK-STEPPED'],
  'FL-CONFIG-REFUSED': ['FL-CONFIG-CHANGED', 'FL-CONFIG-SAME'],
  'FL-CONFIG-UNWORKABLE': ['FL-CONFIG-CHANGED', 'FL-CONFIG-SAME'],
};

/**
 * Writes the event's line. `says` stands in for the sentence where only the place that tells knows what exactly is wrong, such
 * as a problem of the configuration.
 */
export function tell(
  log: Pick<Logger, EventLevel>,
  id: EventId,
  fields: LogFields = {},
  says: string = EVENTS[id].sentence,
): void {
  log[EVENTS[id].level](says, { ...fields, event: id });
}

/** Whether a text is the id of an event. */
export function isEventId(text: unknown): text is EventId {
  return typeof text === 'string' && Object.hasOwn(EVENTS, text);
}

/** A sentence's two halves. The first ends at the first colon; the second is empty where there is nothing to do. */
export function halvesOf(sentence: string): { readonly cause: string; readonly remedy: string } {
  const at = sentence.indexOf(': ');
  return at < 0
    ? { cause: sentence, remedy: '' }
    : { cause: sentence.slice(0, at), remedy: sentence.slice(at + 2) };
}
