/**
 * The server connection at the level of the `Transport` port: one request, one deadline, one result.
 *
 * Datagrams are calculated, not sent: a request is repeated after growing pauses, each datagram may be lost,
 * the server executes the first that arrives and repeats its response for the others, and the first response
 * within the deadline is the result. An aborted request is not repeated, but datagrams in transit arrive.
 */

import { BODY_BYTES_MAX } from '../../../../src/core/delivery/encode.ts';
import type { FailureReason, Result } from '../../../../src/core/failures/failure.ts';
import type { DownlinkListener } from '../../../../src/core/ports/downlink.ts';
import type { Transport } from '../../../../src/core/ports/transport.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { AgentRecord, Ledger } from '../checks/ledger.ts';
import { TrafficWatch } from '../checks/traffic-watch.ts';
import type { Conditions, WeekSettings } from '../plan/week-plan.ts';
import type { SendRequest, SimulatedDownlink } from './simulated-downlink.ts';
import type { ExecutedRequest, WeekServer } from './week-server.ts';

/** A request fails after this time (src/transport/coap/retransmission-timing.ts), ms. */
const DEADLINE_MS = 45_000;
const LAST_REPETITION_MS = 40_000;
const PAUSE_MS_MAX = 10_000;

/** The result in a dead process. */
const NEVER = new Promise<never>(() => {});

export interface SimulatedTransportPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly server: WeekServer;
  readonly conditions: () => Conditions;
  /** Runs `effect` unless the process is dead; may end the process before or after it. */
  readonly act: (effect: () => void) => void;
  /** The same for registrations and replies. */
  readonly actOfDownlink: (effect: () => void) => void;
  readonly agent: AgentRecord;
  readonly settings: WeekSettings;
  readonly downlink: SimulatedDownlink;
  /** The server stores client attributes. */
  readonly onAttributes: (body: string) => void;
}

interface RequestCourse {
  readonly arrivesMs: number;
  /** When that datagram was sent. */
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
    throw new Error('SimulatedTransport: provision is not simulated');
  }

  probe(): Promise<never> {
    throw new Error('SimulatedTransport: probe is not simulated');
  }

  bodyBytesMax(): number {
    return BODY_BYTES_MAX;
  }

  postTelemetry(_token: unknown, body: string, signal: AbortSignal): Promise<Result<void>> {
    if (this.#ports.agent.diedMs !== undefined) return NEVER;
    return this.#request(body, signal, () => this.#ports.server.execute(body));
  }

  postAttributes(_token: unknown, body: string, signal: AbortSignal): Promise<Result<void>> {
    if (this.#ports.agent.diedMs !== undefined) return NEVER;
    return this.#request(
      body,
      signal,
      () => {
        const isOverloaded = this.#ports.server.serverState === 'overloaded';
        if (!isOverloaded) this.#ports.onAttributes(body);
        return {
          answer: isOverloaded ? 'overloaded' : 'ok',
          samples: [],
          hasTimestamps: true,
          reportedLosses: 0,
        };
      },
      false,
    );
  }

  listen(
    _token: unknown,
    _to: unknown,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    return this.#ports.downlink.listen(this.#sendForDownlink, listener, signal);
  }

  reply(_token: unknown, commandId: number, _body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#ports.downlink.reply(this.#sendForDownlink, commandId, signal);
  }

  async downloadChunk(): Promise<Result<Uint8Array>> {
    return failure('server-timeout');
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Beside the traffic of delivery, whose requests are watched. */
  readonly #sendForDownlink: SendRequest = (signal, execute) => {
    if (this.#ports.agent.diedMs !== undefined) return NEVER;
    const answer = (): ExecutedRequest => {
      const isOverloaded = this.#ports.server.serverState === 'overloaded';
      if (!isOverloaded) execute();
      return {
        answer: isOverloaded ? 'overloaded' : 'ok',
        samples: [],
        hasTimestamps: true,
        reportedLosses: 0,
      };
    };
    return this.#result(signal, answer, this.#ports.actOfDownlink);
  };

  async #request(
    what: string,
    signal: AbortSignal,
    execute: () => ExecutedRequest,
    isTelemetry = true,
  ): Promise<Result<void>> {
    const onResult = this.#watch.onRequest(what, isTelemetry);
    const result = await this.#result(signal, execute);
    onResult(result);
    return result;
  }

  #result(signal: AbortSignal, execute: () => ExecutedRequest, act = this.#ports.act): Promise<Result<void>> {
    const { time, server } = this.#ports;
    return new Promise((resolve) => {
      let executed: ExecutedRequest | undefined;
      const cancels: (() => void)[] = [];
      const end = (result: () => Result<void>) =>
        act(() => {
          for (const cancel of cancels) cancel();
          signal.removeEventListener('abort', abort);
          resolve(result());
        });
      const startedMs = time.nowMs;
      const course = this.#planCourse();
      let cancelArrival = (): void => {};
      const abort = (): void => {
        if (time.nowMs - startedMs < course.leavesMs) cancelArrival();
        end(() => failure('aborted'));
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      const { serverState } = server;
      if (serverState === 'no-route')
        return void cancels.push(time.after(1, () => end(() => failure('no-route'))));
      cancelArrival = this.#arrive(course, () => {
        executed = execute();
        // A process that dies or times out before the response does not learn of it.
        if (executed.hasTimestamps) return;
        this.#ports.ledger.unconfirmedReports += executed.reportedLosses;
        for (const sample of executed.samples) sample.unconfirmedUndated += 1;
      });
      const answersMs = serverState === 'closed' ? Math.min(course.answersMs, DEADLINE_MS) : course.answersMs;
      if (!(answersMs < DEADLINE_MS)) {
        cancels.push(time.after(DEADLINE_MS, () => end(() => failure('server-timeout'))));
        return;
      }
      cancels.push(
        time.after(answersMs, () => {
          if (serverState === 'closed') return end(() => failure('port-closed'));
          const { answer } = executed ?? { answer: 'none' };
          const done = executed;
          if (done && answer !== 'none') return end(() => this.#answered(done));
          cancels.push(time.after(DEADLINE_MS - answersMs, () => end(() => failure('server-timeout'))));
        }),
      );
    });
  }

  #answered({ answer, samples, hasTimestamps, reportedLosses }: ExecutedRequest): Result<void> {
    if (answer !== 'ok') return failure(answer === 'malformed' ? 'request-malformed' : 'server-overloaded');
    if (!hasTimestamps) this.#ports.ledger.unconfirmedReports -= reportedLosses;
    for (const sample of samples) {
      if (!hasTimestamps) sample.unconfirmedUndated -= 1;
      sample.confirmedBy ??= this.#ports.agent.number;
    }
    return { ok: true, value: undefined };
  }

  #arrive({ arrivesMs, leavesMs }: RequestCourse, execute: () => void): () => void {
    const { time, server, agent } = this.#ports;
    const sentMs = time.nowMs + leavesMs;
    if (!Number.isFinite(arrivesMs) || server.serverState === 'closed') return () => {};
    return time.after(arrivesMs, () => {
      if (agent.diedMs !== undefined && agent.diedMs < sentMs) return;
      // The current state of the server decides about a datagram in transit, too.
      if (
        server.serverState === 'reachable' ||
        server.serverState === 'overloaded' ||
        server.serverState === 'limited'
      )
        execute();
    });
  }

  /** Draws which datagram arrives first, and when its response or that of a later one is back. */
  #planCourse(): RequestCourse {
    const { random, conditions } = this.#ports;
    const { serverState, lostShare, delayMsMin, delayMsMax } = conditions();
    let arrivesMs = Number.POSITIVE_INFINITY;
    let leavesMs = Number.POSITIVE_INFINITY;
    let answersMs = Number.POSITIVE_INFINITY;
    if (serverState === 'dark') return { arrivesMs, leavesMs, answersMs };
    const delay = () => (delayMsMax > 100 ? random.logBetween(delayMsMin, delayMsMax) : delayMsMax);
    let pauseMs = 2_000 * (1 + random.random() / 2);
    for (let atMs = 0; atMs < LAST_REPETITION_MS && atMs < answersMs; atMs += pauseMs, pauseMs *= 2) {
      pauseMs = Math.min(pauseMs, PAUSE_MS_MAX);
      if (random.isTrue(lostShare)) continue;
      const arrivalMs = atMs + delay();
      if (arrivalMs < arrivesMs) {
        arrivesMs = arrivalMs;
        leavesMs = atMs;
      }
      if (!random.isTrue(lostShare))
        answersMs = Math.min(answersMs, Math.max(arrivalMs, arrivesMs) + 1 + delay());
    }
    return { arrivesMs, leavesMs, answersMs };
  }
}

function failure(reason: FailureReason): Result<never> {
  return { ok: false, failure: { reason, detail: 'simulated' } };
}
