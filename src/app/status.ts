/** The status of a running agent: what it has told, and the file in which others find it, from its start to its end. */

import { type EventId, tell } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { SILENT_LOGGER } from '../core/ports/silent-logger.ts';
import { Chronicle } from '../core/status/event-history.ts';
import type { StatusBoard } from '../core/status/report.ts';
import { StatusFile } from '../host/systemd/status-file.ts';
import { writableRuntimeDirectory } from './paths.ts';
import { VERSION } from './version.ts';

export class RunStatus {
  readonly chronicle: Chronicle;
  readonly #clock: Clock;
  readonly #directory: string | undefined;
  #file: StatusFile | undefined;

  constructor(environment: NodeJS.ProcessEnv, clock: Clock) {
    this.#clock = clock;
    this.chronicle = new Chronicle(clock);
    this.#directory = writableRuntimeDirectory(environment);
  }

  /** Where the loops show how they are; undefined where there is no place for it, which is told. */
  board(log: Logger): { readonly status: StatusBoard; readonly chronicle: Chronicle } | undefined {
    this.#file = this.#open(log);
    if (!this.#file) tell(log, 'FL-STATUS-NOWHERE');
    return this.#file && { status: this.#file, chronicle: this.chronicle };
  }

  async stopped(): Promise<void> {
    await this.#file?.end('stopped', 0);
  }

  async failed(exitCode: number, event: EventId, sentences: readonly string[]): Promise<void> {
    // The reason of a failed start is told on stdout, with or without a status.
    const file = this.#file ?? this.#open(SILENT_LOGGER);
    await file?.end(
      'failed',
      exitCode,
      sentences.map((says) => ({ event, says })),
    );
  }

  #open(log: Logger): StatusFile | undefined {
    const [directory, clock, chronicle] = [this.#directory, this.#clock, this.chronicle];
    return directory === undefined
      ? undefined
      : new StatusFile({ directory, version: VERSION, clock, chronicle, log });
  }
}
