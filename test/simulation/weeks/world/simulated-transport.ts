/**
 * The road to the server at the level of the `Transport` port: one request, one deadline, one result.
 *
 * Datagrams are folded into arithmetic: a request is repeated after pauses that grow, each datagram may be lost, the server
 * executes the first that arrives and answers the others from its memory, and the first answer that comes back within the
 * deadline is the result. A request that is aborted is repeated no more, but what is under way arrives.
 */

import type { FailureReason, Result } from '../../../../src/core/failures/failure.ts';
import type { Transport } from '../../../../src/core/ports/transport.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { Ledger, LifeRecord } from '../checks/ledger.ts';
import { TrafficWatch } from '../checks/traffic-watch.ts';
import type { Weather, WeekSettings } from '../plan/week-plan.ts';
import type { Executed, WeekServer } from './week-server.ts';

/** A usual request is given up after it (src/transport/coap/timing.ts), ms. */
const DEADLINE_MS = 45_000;
const LAST_REPETITION_MS = 40_000;
const PAUSE_MS_MAX = 10_000;

/** What a dead process awaits. */
const UNREACHABLE = new Promise<never>(() => {});

export interface SimulatedTransportPorts {
  readonly time: VirtualTime;
  readonly rng: SeededRandom;
  readonly ledger: Ledger;
  readonly server: WeekServer;
  readonly weather: () => Weather;
  /** Does it, unless the process is dead; may end the process before or after. */
  readonly act: (effect: () => void) => void;
  readonly life: LifeRecord;
  readonly settings: WeekSettings;
}

interface RequestCourse {
  readonly arrivesMs: number;
  /** When the datagram that arrives leaves. */
  readonly leavesMs: number;
  readonly answersMs: number;
}

export class SimulatedTransport implements Transport {
  readonly #ports: SimulatedTransportPorts;
  readonly #watch: TrafficWatch;

  constructor(ports: SimulatedTransportPorts) {
    this.#ports = ports;
    this.#watch = new TrafficWatch(ports);
  }

  provision(): Promise<never> {
    throw new Error('road: nothing to provision');
  }

  probe(): Promise<never> {
    throw new Error('road: nothing to probe');
  }

  postTelemetry(_token: unknown, body: string, signal: AbortSignal): Promise<Result<void>> {
    if (this.#ports.life.diedMs !== undefined) return UNREACHABLE;
    return this.#request(body, signal, () => this.#ports.server.execute(body));
  }

  postAttributes(_token: unknown, body: string, signal: AbortSignal): Promise<Result<void>> {
    if (this.#ports.life.diedMs !== undefined) return UNREACHABLE;
    return this.#request(
      body,
      signal,
      () => ({
        answer: this.#ports.server.sky === 'overloaded' ? 'overloaded' : 'ok',
        samples: [],
        isDated: true,
        told: 0,
      }),
      false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #request(
    what: string,
    signal: AbortSignal,
    execute: () => Executed,
    isTelemetry = true,
  ): Promise<Result<void>> {
    const ended = this.#watch.begun(what, isTelemetry);
    const result = await this.#result(signal, execute);
    ended(result);
    return result;
  }

  #result(signal: AbortSignal, execute: () => Executed): Promise<Result<void>> {
    const { time, act, server } = this.#ports;
    return new Promise((resolve) => {
      let executed: Executed | undefined;
      const over: (() => void)[] = [];
      const end = (result: () => Result<void>) =>
        act(() => {
          for (const cancel of over) cancel();
          signal.removeEventListener('abort', abort);
          resolve(result());
        });
      const startedMs = time.nowMs;
      const requestCourse = this.#planCourse();
      let cancelArrival = (): void => {};
      const abort = (): void => {
        if (time.nowMs - startedMs < requestCourse.leavesMs) cancelArrival();
        end(() => refused('aborted'));
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      const { sky } = server;
      if (sky === 'no-route') return void over.push(time.after(1, () => end(() => refused('no-route'))));
      cancelArrival = this.#arrive(requestCourse, () => {
        executed = execute();
        // Whoever dies or gives up before the answer never heard of it.
        if (executed.isDated) return;
        this.#ports.ledger.unheardReports += executed.told;
        for (const sample of executed.samples) sample.unheardLive += 1;
      });
      const answersMs =
        sky === 'away' ? Math.min(requestCourse.answersMs, DEADLINE_MS) : requestCourse.answersMs;
      if (!(answersMs < DEADLINE_MS)) {
        over.push(time.after(DEADLINE_MS, () => end(() => refused('server-timeout'))));
        return;
      }
      over.push(
        time.after(answersMs, () => {
          if (sky === 'away') return end(() => refused('port-closed'));
          const { answer } = executed ?? { answer: 'none' };
          const done = executed;
          if (done && answer !== 'none') return end(() => this.#answered(done));
          over.push(time.after(DEADLINE_MS - answersMs, () => end(() => refused('server-timeout'))));
        }),
      );
    });
  }

  #answered({ answer, samples, isDated, told }: Executed): Result<void> {
    if (answer !== 'ok') return refused(answer === 'malformed' ? 'request-malformed' : 'server-overloaded');
    if (!isDated) this.#ports.ledger.unheardReports -= told;
    for (const sample of samples) {
      if (!isDated) sample.unheardLive -= 1;
      sample.heardInLife ??= this.#ports.life.number;
    }
    return { ok: true, value: undefined };
  }

  #arrive({ arrivesMs, leavesMs }: RequestCourse, execute: () => void): () => void {
    const { time, server, life } = this.#ports;
    const sentMs = time.nowMs + leavesMs;
    if (!Number.isFinite(arrivesMs) || server.sky === 'away') return () => {};
    return time.after(arrivesMs, () => {
      if (life.diedMs !== undefined && life.diedMs < sentMs) return;
      // What the road does to the agent it does to a datagram that is on it.
      if (server.sky === 'clear' || server.sky === 'overloaded' || server.sky === 'limited') execute();
    });
  }

  /** Which datagram arrives first, and when its or a later one's answer is back. */
  #planCourse(): RequestCourse {
    const { rng, weather } = this.#ports;
    const { sky, lostShare, delayMsMin, delayMsMax } = weather();
    let arrivesMs = Number.POSITIVE_INFINITY;
    let leavesMs = Number.POSITIVE_INFINITY;
    let answersMs = Number.POSITIVE_INFINITY;
    if (sky === 'dark') return { arrivesMs, leavesMs, answersMs };
    const delay = () => (delayMsMax > 100 ? rng.logBetween(delayMsMin, delayMsMax) : delayMsMax);
    let pauseMs = 2_000 * (1 + rng.random() / 2);
    for (let atMs = 0; atMs < LAST_REPETITION_MS && atMs < answersMs; atMs += pauseMs, pauseMs *= 2) {
      pauseMs = Math.min(pauseMs, PAUSE_MS_MAX);
      if (rng.isTrue(lostShare)) continue;
      const hereMs = atMs + delay();
      if (hereMs < arrivesMs) {
        arrivesMs = hereMs;
        leavesMs = atMs;
      }
      if (!rng.isTrue(lostShare)) answersMs = Math.min(answersMs, Math.max(hereMs, arrivesMs) + 1 + delay());
    }
    return { arrivesMs, leavesMs, answersMs };
  }
}

function refused(reason: FailureReason): Result<never> {
  return { ok: false, failure: { reason, detail: 'simulated' } };
}
