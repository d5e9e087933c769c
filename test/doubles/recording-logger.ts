/** A `Logger` that keeps its lines for a test to read. */

import type { LogFields, Logger } from '../../src/core/ports.ts';

export interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export class RecordingLogger implements Logger {
  readonly lines: Line[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'debug', message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'error', message, fields });
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
