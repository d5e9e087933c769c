/** A `Logger` that keeps its lines for a test; the ids of events are kept apart from the other fields. */

import type { LogFields, Logger } from '../../src/core/ports/log.ts';

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];
  /** The ids of the logged events, in order. */
  readonly events: string[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.#record('debug', message, fields);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#record('info', message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#record('warn', message, fields);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#record('error', message, fields);
  }

  #record(level: LogLine['level'], message: string, { event, ...fields }: LogFields): void {
    if (event !== undefined) this.events.push(String(event));
    this.lines.push({ level, message, fields });
  }

  /** The lines that an operator reads: all except debug. */
  get logged(): readonly LogLine[] {
    return this.lines.filter(({ level }) => level !== 'debug');
  }

  /** The lines with this message. */
  withMessage(message: string | RegExp): readonly LogLine[] {
    return this.lines.filter((line) =>
      typeof message === 'string' ? line.message === message : message.test(line.message),
    );
  }
}
