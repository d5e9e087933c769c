/**
 * What one may see of a process from its road: how many requests are under way, how fast a backlog comes, and that no body is
 * empty.
 */

import type { Result } from '../../../../src/core/failures/failure.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { WeekSettings } from '../plan/week-plan.ts';
import type { Ledger, LifeRecord } from './ledger.ts';

const IN_FLIGHT_MAX = 4;
/** 5.00 so often in a row is surely the server; fewer may be batches that it refuses alone, each tried thrice before that tells of the server. */
const OVERLOADS_MAX = 14;
/** The pace is asked for over so long, ms. */
const PACE_WINDOW_MS = 10_000;

export interface WatchPorts {
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly life: LifeRecord;
  readonly settings: WeekSettings;
}

export class TrafficWatch {
  readonly #ports: WatchPorts;
  #requests = 0;
  #inFlight = 0;
  /** The session was told of a refusal, and nothing was accepted since. */
  #isTroubled = false;
  #overloads = 0;
  readonly #pacedMs: number[] = [];

  constructor(ports: WatchPorts) {
    this.#ports = ports;
  }

  /** A request begins; the returned function is called with its result. */
  begun(body: string, isTelemetry: boolean): (result: Result<void>) => void {
    const { ledger } = this.#ports;
    this.#requests += 1;
    const number = this.#requests;
    this.#checkBody(body);
    this.#checkCount();
    this.#checkPace(body);
    this.#inFlight += 1;
    const trouble = this.#isTroubled ? ', trouble' : '';
    ledger.trace(() => `request ${number}: ${summary(body)}, ${this.#inFlight} under way${trouble}`);
    return (result) => {
      this.#inFlight -= 1;
      ledger.trace(() => `request ${number}: ${result.ok ? 'ok' : result.failure.reason}`);
      this.#ended(result, isTelemetry);
    };
  }

  #ended(result: Result<void>, isTelemetry: boolean): void {
    if (result.ok) {
      this.#isTroubled = false;
      this.#overloads = 0;
      return;
    }
    // Refused attributes are tried again later, and the session does not hear of it.
    if (!isTelemetry) return;
    const { reason } = result.failure;
    if (reason === 'request-malformed' || reason === 'aborted') return;
    if (reason === 'server-overloaded') this.#overloads += 1;
    if (reason !== 'server-overloaded' || this.#overloads > OVERLOADS_MAX) this.#isTroubled = true;
  }

  #checkBody(body: string): void {
    if (body === '[]' || body.includes('{}'))
      this.#ports.ledger.recordGap('never an empty batch', body.slice(0, 80));
  }

  #checkCount(): void {
    const most = this.#isTroubled ? 1 : IN_FLIGHT_MAX;
    if (this.#inFlight < most) return;
    const trouble = this.#isTroubled ? ' in trouble' : '';
    this.#ports.ledger.recordGap(
      'at most four requests, one in trouble',
      `${this.#inFlight + 1} under way${trouble}`,
    );
  }

  #checkPace(body: string): void {
    const { ledger, time, life, settings } = this.#ports;
    const n = /"n":(\d+)/.exec(body)?.[1];
    const sample = n === undefined ? undefined : ledger.sample(Number(n));
    if (!sample || sample.backlogOfLife !== life.number || this.#isTroubled) return;
    this.#pacedMs.push(time.nowMs);
    const most = Math.ceil((settings.drainPerS * PACE_WINDOW_MS) / 1_000) + 1;
    if (this.#pacedMs.length <= most) return;
    const duringMs = time.nowMs - (this.#pacedMs.shift() ?? 0);
    if (duringMs >= PACE_WINDOW_MS - 1) return;
    ledger.recordGap('drain rate', `${most + 1} messages of the backlog in ${Math.round(duringMs)} ms`);
  }
}

/** The samples in a body, for a trace. */
function summary(body: string): string {
  const numbers = [...body.matchAll(/"n":(\d+)/g)].map(([, n]) => n);
  const marks = [
    body.includes('"ts":') ? '' : ' undated',
    body.includes('lostReadings') ? ' with a gap' : '',
  ];
  return `n=${numbers[0] ?? '-'}${numbers.length > 1 ? `..${numbers.at(-1)}` : ''}${marks.join('')}`;
}
