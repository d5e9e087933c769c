/** Says each sentence once in the life of a process: a dying card would otherwise fill the journal with one line. */

import type { LogFields, Logger } from '../core/ports.ts';

export class OnceLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #said = new Set<string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  warn(message: string, fields: LogFields): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.#log.warn(message, fields);
  }
}
