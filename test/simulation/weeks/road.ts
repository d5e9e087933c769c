/**
 * The road to the server at the level of the `Transport` port: one request, one deadline, one result.
 *
 * Datagrams are folded into arithmetic: a request is repeated after pauses that grow, each datagram may be lost, the server
 * executes the first that arrives and answers the others from its memory, and the first answer that comes back within the
 * deadline is the result. A request that is aborted is repeated no more, but what is under way arrives. Watches what one may
 * see from here: how many are under way, how fast a backlog comes, and that no body is empty.
 */

import type { Result, Transport } from '../../../src/core/ports.ts';
import type { RefusalReason } from '../../../src/core/refusal.ts';
import type { Dice } from '../dice.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Ledger, LifeRecord } from './ledger.ts';
import type { Weather, WeekSettings } from './week-plan.ts';
import type { Executed, WeekServer } from './week-server.ts';

/** A usual request is given up after it (src/transport/coap/timing.ts), ms. */
const DEADLINE_MS = 45_000;
const LAST_REPETITION_MS = 40_000;
const PAUSE_MS_MAX = 10_000;
const IN_FLIGHT_MAX = 4;
/** 5.00 so often in a row is surely the server; fewer may be a batch that it refuses alone, half by half. */
const OVERLOADS_MAX = 4;
/** The pace is asked for over so long, ms. */
const PACE_WINDOW_MS = 10_000;

export interface RoadPorts {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly ledger: Ledger;
  readonly server: WeekServer;
  readonly weather: () => Weather;
  /** Does it, unless the process is dead; may end the process before or after. */
  readonly act: (effect: () => void) => void;
  readonly life: LifeRecord;
  readonly settings: WeekSettings;
}

interface Course {
  readonly arrivesMs: number;
  /** When the datagram that arrives leaves. */
  readonly leavesMs: number;
  readonly answersMs: number;
}

export class Road implements Transport {
  readonly #ports: RoadPorts;
  #requests = 0;
  #inFlight = 0;
  /** The session was told of a refusal, and nothing was accepted since. */
  #isTroubled = false;
  #overloads = 0;
  readonly #paced: number[] = [];

  constructor(ports: RoadPorts) {
    this.#ports = ports;
  }

  provision(): Promise<never> {
    throw new Error('road: nothing to provision');
  }

  probe(): Promise<never> {
    throw new Error('road: nothing to probe');
  }

  postTelemetry(_token: unknown, body: string, signal: AbortSignal): Promise<Result<void>> {
    this.#watch(body);
    return this.#request(() => summary(body), signal, () => this.#ports.server.execute(body));
  }

  postAttributes(_token: unknown, _body: string, signal: AbortSignal): Promise<Result<void>> {
    this.#watchCount();
    return this.#request(() => 'attributes', signal, () => ({
      answer: this.#ports.server.sky === 'overloaded' ? 'overloaded' : 'ok',
      samples: [],
      isDated: true,
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #request(what: () => string, signal: AbortSignal, execute: () => Executed): Promise<Result<void>> {
    const { ledger } = this.#ports;
    this.#requests += 1;
    const number = this.#requests;
    this.#inFlight += 1;
    ledger.trace(() => `request ${number}: ${what()}, ${this.#inFlight} under way${this.#isTroubled ? ', trouble' : ''}`);
    const result = await this.#result(signal, execute);
    this.#inFlight -= 1;
    ledger.trace(() => `request ${number}: ${result.ok ? 'ok' : result.refusal.reason}`);
    if (result.ok) {
      this.#isTroubled = false;
      this.#overloads = 0;
    } else if (result.refusal.reason === 'overloaded') {
      this.#overloads += 1;
      if (this.#overloads > OVERLOADS_MAX) this.#isTroubled = true;
    } else if (result.refusal.reason !== 'malformed' && result.refusal.reason !== 'aborted') {
      this.#isTroubled = true;
    }
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
      const course = this.#course();
      let cancelArrival = (): void => {};
      const abort = (): void => {
        if (time.nowMs - startedMs < course.leavesMs) cancelArrival();
        end(() => refused('aborted'));
      };
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      const { sky } = server;
      if (sky === 'no-route') return void over.push(time.after(1, () => end(() => refused('no-route'))));
      cancelArrival = this.#arrive(course, () => {
        executed = execute();
        // Whoever dies or gives up before the answer never heard of it.
        for (const sample of executed.samples) if (!executed.isDated) sample.unheardLive += 1;
      });
      const answersMs = sky === 'away' ? Math.min(course.answersMs, DEADLINE_MS) : course.answersMs;
      if (!(answersMs < DEADLINE_MS)) {
        over.push(time.after(DEADLINE_MS, () => end(() => refused('silent'))));
        return;
      }
      over.push(
        time.after(answersMs, () => {
          if (sky === 'away') return end(() => refused('port-closed'));
          const { answer } = executed ?? { answer: 'none' };
          const done = executed;
          if (done && answer !== 'none') return end(() => this.#answered(done));
          over.push(time.after(DEADLINE_MS - answersMs, () => end(() => refused('silent'))));
        }),
      );
    });
  }

  #answered({ answer, samples, isDated }: Executed): Result<void> {
    if (answer !== 'ok') return refused(answer === 'malformed' ? 'malformed' : 'overloaded');
    for (const sample of samples) {
      if (!isDated) sample.unheardLive -= 1;
      sample.heardInLife ??= this.#ports.life.number;
    }
    return { ok: true, value: undefined };
  }

  #arrive({ arrivesMs, leavesMs }: Course, execute: () => void): () => void {
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
  #course(): Course {
    const { dice, weather } = this.#ports;
    const { sky, lostShare, delayMsMin, delayMsMax } = weather();
    let arrivesMs = Number.POSITIVE_INFINITY;
    let leavesMs = Number.POSITIVE_INFINITY;
    let answersMs = Number.POSITIVE_INFINITY;
    if (sky === 'dark') return { arrivesMs, leavesMs, answersMs };
    const delay = () => (delayMsMax > 100 ? dice.logBetween(delayMsMin, delayMsMax) : delayMsMax);
    let pauseMs = 2_000 * (1 + dice.random() / 2);
    for (let atMs = 0; atMs < LAST_REPETITION_MS && atMs < answersMs; atMs += pauseMs, pauseMs *= 2) {
      pauseMs = Math.min(pauseMs, PAUSE_MS_MAX);
      if (dice.happens(lostShare)) continue;
      const hereMs = atMs + delay();
      if (hereMs < arrivesMs) {
        arrivesMs = hereMs;
        leavesMs = atMs;
      }
      if (!dice.happens(lostShare)) answersMs = Math.min(answersMs, Math.max(hereMs, arrivesMs) + 1 + delay());
    }
    return { arrivesMs, leavesMs, answersMs };
  }

  #watch(body: string): void {
    const { ledger, time, life, settings } = this.#ports;
    if (body === '[]' || body === '{}' || body.includes('"values":{}') || body.includes('{}')) {
      ledger.tell('never an empty batch', body.slice(0, 80));
    }
    this.#watchCount();
    const n = /"n":(\d+)/.exec(body)?.[1];
    const sample = n === undefined ? undefined : ledger.sample(Number(n));
    if (!sample || sample.backlogOfLife !== life.number || this.#isTroubled) return;
    this.#paced.push(time.nowMs);
    const most = Math.ceil((settings.drainPerS * PACE_WINDOW_MS) / 1_000) + 1;
    if (this.#paced.length <= most) return;
    const firstMs = this.#paced.shift() ?? 0;
    if (time.nowMs - firstMs < PACE_WINDOW_MS - 1) {
      ledger.tell('drain rate', `${most + 1} messages of the backlog in ${Math.round(time.nowMs - firstMs)} ms`);
    }
  }

  #watchCount(): void {
    const most = this.#isTroubled ? 1 : IN_FLIGHT_MAX;
    if (this.#inFlight < most) return;
    this.#ports.ledger.tell(
      'at most four requests, one in trouble',
      `${this.#inFlight + 1} under way${this.#isTroubled ? ' in trouble' : ''}`,
    );
  }
}

/** The samples in a body, for a trace. */
function summary(body: string): string {
  const numbers = [...body.matchAll(/"n":(\d+)/g)].map(([, n]) => n);
  const marks = [body.includes('"ts":') ? '' : ' undated', body.includes('lostReadings') ? ' with a gap' : ''];
  return `n=${numbers[0] ?? '-'}${numbers.length > 1 ? `..${numbers.at(-1)}` : ''}${marks.join('')}`;
}

function refused(reason: RefusalReason): Result<never> {
  return { ok: false, refusal: { reason, detail: 'simulated' } };
}
