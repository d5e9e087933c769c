/** Who hears of each event the journal is told: in words that are clean of secrets, also where its level is not written. */

import { type EventId, isEventId } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import type { LogFields } from '../../core/ports/log.ts';
import type { Level } from './log-line.ts';
import type { Redaction } from './redaction.ts';

export interface Witness {
  note(event: EventId, level: EventLevel, says: string, seen?: string): void;
}

export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

export function bearWitness(witness: Witness, { level, message, fields }: Line, redaction: Redaction): void {
  const { event, seen } = fields;
  if (level === 'debug' || !isEventId(event)) return;
  const words = seen === undefined ? undefined : redaction.clean(String(seen));
  witness.note(event, level, redaction.clean(message), words);
}
