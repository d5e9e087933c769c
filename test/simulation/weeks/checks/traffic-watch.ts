/**
 * Checks the traffic of one process: the requests in flight, the rate of the backlog, and that no body is
 * empty.
 */

import type { Result } from '../../../../src/core/failures/failure.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { WeekSettings } from '../plan/week-plan.ts';
import type { AgentRecord, Ledger } from './ledger.ts';

const IN_FLIGHT_MAX = 4;
/**
 * More 5.00 in a row mean an overloaded server; fewer may be batches with poison, each of which is tried
 * three times.
 */
const OVERLOADS_MAX = 14;
/** The window in which the rate is measured, ms. */
const RATE_WINDOW_MS = 10_000;

export interface WatchPorts {
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly agent: AgentRecord;
  readonly settings: WeekSettings;
}

export class TrafficWatch {
  readonly #ports: WatchPorts;
  #requests = 0;
  #inFlight = 0;
  /** The session got a failure, and no request has succeeded since. */
  #isOutage = false;
  #overloads = 0;
  readonly #backlogSentMs: number[] = [];

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** Called when a request begins; the returned function is called with its result. */
  onRequest(body: string, isTelemetry: boolean): (result: Result<void>) => void {
    const { ledger } = this.#ports;
    this.#requests += 1;
    const number = this.#requests;
    this.#checkBody(body);
    this.#checkCount();
    this.#checkRate(body);
    this.#inFlight += 1;
    const outage = this.#isOutage ? ', outage' : '';
    ledger.trace(() => `request ${number}: ${describeBody(body)}, ${this.#inFlight} in flight${outage}`);
    return (result) => {
      this.#inFlight -= 1;
      ledger.trace(() => `request ${number}: ${result.ok ? 'ok' : result.failure.reason}`);
      this.#onResult(result, isTelemetry);
    };
  }

  #onResult(result: Result<void>, isTelemetry: boolean): void {
    if (result.ok) {
      this.#isOutage = false;
      this.#overloads = 0;
      return;
    }
    // Rejected attributes are retried later without a failure of the session.
    if (!isTelemetry) return;
    const { reason } = result.failure;
    if (reason === 'request-malformed' || reason === 'aborted') return;
    if (reason === 'server-overloaded') this.#overloads += 1;
    if (reason !== 'server-overloaded' || this.#overloads > OVERLOADS_MAX) this.#isOutage = true;
  }

  #checkBody(body: string): void {
    if (body === '[]' || body.includes('{}'))
      this.#ports.ledger.reportViolation('never an empty batch', body.slice(0, 80));
  }

  #checkCount(): void {
    const most = this.#isOutage ? 1 : IN_FLIGHT_MAX;
    if (this.#inFlight < most) return;
    const outage = this.#isOutage ? ' in an outage' : '';
    this.#ports.ledger.reportViolation(
      'at most four requests, one in an outage',
      `${this.#inFlight + 1} in flight${outage}`,
    );
  }

  #checkRate(body: string): void {
    const { ledger, time, agent, settings } = this.#ports;
    const n = /"n":(\d+)/.exec(body)?.[1];
    const sample = n === undefined ? undefined : ledger.sample(Number(n));
    if (!sample || sample.backlogOf !== agent.number || this.#isOutage) return;
    this.#backlogSentMs.push(time.nowMs);
    const most = Math.ceil((settings.drainPerS * RATE_WINDOW_MS) / 1_000) + 1;
    if (this.#backlogSentMs.length <= most) return;
    const duringMs = time.nowMs - (this.#backlogSentMs.shift() ?? 0);
    if (duringMs >= RATE_WINDOW_MS - 1) return;
    ledger.reportViolation('drain rate', `${most + 1} messages of the backlog in ${Math.round(duringMs)} ms`);
  }
}

/** The samples in a body, for a trace. */
function describeBody(body: string): string {
  const numbers = [...body.matchAll(/"n":(\d+)/g)].map(([, n]) => n);
  const marks = [
    body.includes('"ts":') ? '' : ' undated',
    body.includes('lostReadings') ? ' with a gap' : '',
  ];
  return `n=${numbers[0] ?? '-'}${numbers.length > 1 ? `..${numbers.at(-1)}` : ''}${marks.join('')}`;
}
