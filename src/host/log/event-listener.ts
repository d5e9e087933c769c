/** Who hears of each event the journal is told: in words that are clean of secrets, also where its level is not written. */

import { type EventId, isEventId } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { LogFields } from '../../core/ports/log.ts';
import type { Level } from './log-line.ts';
import type { Redaction } from './redaction.ts';

export interface EventListener {
  record(event: EventId, level: EventLevel, message: string, detail?: string): void;
}

export interface LogLine {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

export function notifyListener(
  listener: EventListener,
  { level, message, fields }: LogLine,
  redaction: Redaction,
): void {
  const { event, detail } = fields;
  if (level === 'debug' || !isEventId(event)) return;
  const text = detail === undefined ? undefined : redaction.clean(String(detail));
  listener.record(event, level, redaction.clean(message), text);
}
