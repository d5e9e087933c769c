/** A `Logger` that keeps its lines for a test to read; the ids of events apart from their other fields. */

import type { LogFields, Logger } from '../../src/core/ports/log.ts';

export interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLogger implements Logger {
  readonly lines: Line[] = [];
  /** The ids of the events told, in order. */
  readonly events: string[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.#keep('debug', message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#keep('info', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#keep('warn', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#keep('error', message, fields);
  }

  #keep(level: Line['level'], message: string, { event, ...fields }: LogFields): void {
    if (event !== undefined) this.events.push(String(event));
    this.lines.push({ level, message, fields });
  }

  /** What an operator reads: everything but debug. */
  get told(): readonly Line[] {
    return this.lines.filter(({ level }) => level !== 'debug');
  }

  /** The lines with this message. */
  saying(message: string | RegExp): readonly Line[] {
    return this.lines.filter((line) =>
      typeof message === 'string' ? line.message === message : message.test(line.message),
    );
  }
}
