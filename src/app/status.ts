/** The status of the daemon from start to end: its event history, and the status file that `firstlight status` reads. */

import { type EventId, logEvent } from '../core/events/catalogue.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { SILENT_LOGGER } from '../core/ports/log.ts';
import { EventHistory } from '../core/status/event-history.ts';
import type { StatusSink } from '../core/status/report.ts';
import { StatusFile } from '../host/systemd/status-file.ts';
import { writableRuntimeDirectory } from './paths.ts';
import { VERSION } from './version.ts';

export class StatusOutput {
  readonly eventHistory: EventHistory;
  readonly #clock: Clock;
  readonly #directory: string | undefined;
  #file: StatusFile | undefined;

  constructor(environment: NodeJS.ProcessEnv, clock: Clock) {
    this.#clock = clock;
    this.eventHistory = new EventHistory(clock);
    this.#directory = writableRuntimeDirectory(environment);
  }

  /** Opens the status file; undefined, and logged, if there is no runtime directory. */
  open(log: Logger): { readonly sink: StatusSink; readonly eventHistory: EventHistory } | undefined {
    this.#file = this.#open(log);
    if (!this.#file) logEvent(log, 'FL-STATUS-DISABLED');
    return this.#file && { sink: this.#file, eventHistory: this.eventHistory };
  }

  async writeStopped(): Promise<void> {
    await this.#file?.end('stopped', 0);
  }

  async writeFailed(exitCode: number, event: EventId, messages: readonly string[]): Promise<void> {
    // Silent, because the reason of a failed start is on stdout already.
    const file = this.#file ?? this.#open(SILENT_LOGGER);
    await file?.end(
      'failed',
      exitCode,
      messages.map((message) => ({ event, message })),
    );
  }

  #open(log: Logger): StatusFile | undefined {
    const [directory, clock, eventHistory] = [this.#directory, this.#clock, this.eventHistory];
    return directory === undefined
      ? undefined
      : new StatusFile({ directory, version: VERSION, clock, eventHistory, log });
  }
}
