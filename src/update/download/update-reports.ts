/**
 * Reports the progress of an update as ThingsBoard expects it: telemetry sw_state, sw_error, current_sw_title and
 * current_sw_version (contract section 7). In order, each until the server has accepted it; without a time, so that the server
 * uses its own.
 */

import { AsyncSignal } from '../../core/async/async-signal.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { UpdateServer } from './update-server.ts';

export type UpdateState = 'DOWNLOADING' | 'DOWNLOADED' | 'VERIFIED' | 'UPDATING' | 'UPDATED' | 'FAILED';

export interface UpdateReport {
  readonly sw_state?: UpdateState;
  readonly sw_error?: string;
  /** Percent of the download. */
  readonly sw_progress?: number;
  readonly current_sw_title?: string;
  readonly current_sw_version?: string;
}

/** The oldest is dropped: the newest say how it ended. */
const WAITING_MAX = 16;

export interface UpdateReportsPorts {
  readonly clock: Pick<Clock, 'sleep'>;
  /** How long to wait after this number of failures in a row, ms. */
  readonly retryMs: (failures: number) => number;
}

export class UpdateReports {
  readonly #ports: UpdateReportsPorts;
  readonly #changes = new AsyncSignal();
  #waiting: { readonly report: UpdateReport; readonly onAccepted: (() => void) | undefined }[] = [];

  constructor(ports: UpdateReportsPorts) {
    this.#ports = ports;
  }

  /** Never waits. `onAccepted`: called when the server has accepted it. */
  send(report: UpdateReport, onAccepted?: () => void): void {
    this.#waiting = [...this.#waiting, { report, onAccepted }].slice(-WAITING_MAX);
    this.#changes.notify();
  }

  /** Resolves when all reports are accepted, after `ms`, or when the signal aborts. */
  async settle(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0) await this.#changes.waitUpTo(ms, this.#ports.clock, signal);
  }

  /** Resolves when the signal aborts. */
  async run(server: UpdateServer, signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const seen = this.#changes.version;
      const [next] = this.#waiting;
      if (!next) {
        await this.#changes.wait(signal, seen);
        continue;
      }
      const token = await server.connected(signal);
      if (token === undefined) return;
      const result = await server.postTelemetry(token, JSON.stringify(next.report), signal);
      if (!result.ok) {
        failures += 1;
        await this.#ports.clock.sleep(this.#ports.retryMs(failures), signal);
        continue;
      }
      failures = 0;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      next.onAccepted?.();
      if (this.#waiting.length === 0) this.#changes.notify();
    }
  }
}
