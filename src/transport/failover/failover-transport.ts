/**
 * Several roads to one server, as one Transport: the driver of core/roads.ts.
 *
 * Promises: one request goes over one road, and what becomes of it is told before another road is taken, so that whatever may
 * not be repeated is not. A token is proven on a road (the server knows it there) before readings go over it; the road before
 * stays the one in use until then. Better roads are tried beside the deliveries, with a question and never with a reading.
 * Provisioning, which cannot be asked twice, is asked only where the server has just answered something else.
 */

import { DEADLINE, unlessAborted } from '../../core/async/abort.ts';
import { tell } from '../../core/events/catalogue.ts';
import {
  betterRoad,
  RETRY,
  type RoadsState,
  refusalOfRoads,
  roadFailed,
  roadInUse,
  roadWorked,
  speaksOfTheRoad,
  startOfRoads,
} from '../../core/failover/selector.ts';
import type { Schedule } from '../../core/failures/backoff.ts';
import type { Result } from '../../core/failures/failure.ts';
import { aborted, type Refusal } from '../../core/failures/failure.ts';
import { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { Chance } from '../../core/ports/random.ts';
import type { ProvisionRequest, Transport } from '../../core/ports/transport.ts';
import { type Ask, type RoadTo, Ways } from './endpoint-pool.ts';
import { Proofs } from './verified-tokens.ts';

export interface RoadsPatience {
  /** So long without an answer, and a road counts as failing, ms. */
  readonly silentMs: number;
  readonly retry: Schedule;
}

export interface RoadsPorts {
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'random'>;
  readonly log: Logger;
  /** Given by tests that cannot wait. */
  readonly patience?: RoadsPatience;
}

/** Six repetitions of a CoAP datagram, and more than a slow server takes (10 s). */
const PATIENCE: RoadsPatience = { silentMs: 20_000, retry: RETRY };
/** A token nobody has, to ask a server whether it is there; it is no secret. */
const NOBODYS = new Secret('firstlightRoadCheck');
const PROVEN: Result<void> = { ok: true, value: undefined };

export class Roads implements Transport {
  readonly #ways: Ways;
  readonly #ports: RoadsPorts;
  readonly #patience: RoadsPatience;
  readonly #proofs = new Proofs();
  readonly #closed = new AbortController();
  #state: RoadsState;
  /** The question whether the road in use next knows our token; one for all who wait for it. */
  #proving: Promise<Result<void>> | undefined;
  /** A question that nobody waits for. */
  #beside: Promise<void> | undefined;

  constructor(roads: readonly RoadTo[], ports: RoadsPorts) {
    this.#ports = ports;
    this.#patience = ports.patience ?? PATIENCE;
    this.#ways = new Ways(roads, this.#patience.silentMs, ports.clock);
    this.#state = startOfRoads(roads.length);
  }

  /** The road that is known to work, or was: its place in the list. */
  get inUse(): number {
    return this.#state.current;
  }

  async provision(
    request: ProvisionRequest,
    keep: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>> {
    const road = roadInUse(this.#state);
    const question: Ask<boolean> = (way, stop) => way.probe(request.token ?? NOBODYS, stop);
    const there = this.#heard(road, await this.#ways.ask(road, question, signal));
    if (!there.ok) return there;
    const transport = await this.#ways.transport(road);
    const result = this.#heard(road, await transport.provision(request, keep, signal));
    if (result.ok) this.#proofs.add(road, result.value, this.#nowMs());
    return result;
  }

  async probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    return this.#question(roadInUse(this.#state), token, signal);
  }

  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, (transport, stop) => transport.postTelemetry(token, body, stop), signal);
  }

  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    return this.#post(token, (transport, stop) => transport.postAttributes(token, body, stop), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled([this.#beside, this.#proving]);
    await this.#ways[Symbol.asyncDispose]();
  }

  async #post(token: Secret, ask: Ask<void>, signal: AbortSignal): Promise<Result<void>> {
    const proof = await this.#proven(token, signal);
    if (!proof.ok) return proof;
    const road = roadInUse(this.#state);
    const better = betterRoad(this.#state, this.#nowMs());
    if (better !== undefined && this.#proofs.has(road, token)) this.#askBeside(better, token);
    const answer = await this.#ways.ask(road, ask, signal);
    // A caller that did not want to wait any longer says nothing of the road: a reading may have had 50 ms left to be fresh.
    // But where the clock is not right none ever has the time, so the road is asked.
    if (signal.reason === DEADLINE) this.#askBeside(road, token);
    if (signal.aborted) return answer;
    const result = this.#heard(road, answer);
    if (result.ok) this.#proofs.add(road, token, this.#nowMs());
    else if (result.refusal.reason === 'unauthorized') this.#proofs.remove(road);
    return result;
  }

  /** The road in use needs no proof; a candidate does, and is in use once it has given it. */
  async #proven(token: Secret, signal: AbortSignal): Promise<Result<void>> {
    if (this.#state.candidate === undefined) return PROVEN;
    this.#proving ??= this.#prove(this.#state.candidate, token).finally(() => {
      this.#proving = undefined;
    });
    return unlessAborted<Result<void>>(this.#proving, aborted(), signal);
  }

  async #prove(road: number, token: Secret): Promise<Result<void>> {
    const known = await this.#question(road, token, this.#closed.signal);
    if (!known.ok) return known;
    if (known.value) return PROVEN;
    return { ok: false, refusal: { reason: 'unauthorized', detail: 'our token is not known there' } };
  }

  /** Whether the server knows the token; a "no" where another road has just said "yes" is the road's fault. */
  async #question(road: number, token: Secret, signal: AbortSignal): Promise<Result<boolean>> {
    const asked = await this.#ways.ask(road, (transport, stop) => transport.probe(token, stop), signal);
    if (asked.ok && asked.value) this.#proofs.add(road, token, this.#nowMs());
    else if (asked.ok) this.#proofs.remove(road);
    if (asked.ok && !asked.value && this.#proofs.isKnownElsewhere(road, token, this.#nowMs())) {
      const detail = `${this.#ways.urls[road]} does not know the token`;
      return this.#heard<boolean>(road, { ok: false, refusal: { reason: 'roads-disagree', detail } });
    }
    // One that is not in use yet has to say yes; whatever else it says, the next one has its turn.
    const isNew = road !== this.#state.current && !asked.ok && asked.refusal.reason !== 'aborted';
    return isNew ? this.#failed(road, asked.refusal) : this.#heard(road, asked);
  }

  /** Beside everything else, one at a time; nobody waits for it but the end. */
  #askBeside(road: number, token: Secret): void {
    if (this.#closed.signal.aborted) return;
    this.#beside ??= this.#question(road, token, this.#closed.signal).then(() => {
      this.#beside = undefined;
    });
  }

  /** What a request says of its road: the road is kept, or another one has its turn. */
  #heard<T>(road: number, result: Result<T>): Result<T> {
    if (!result.ok && result.refusal.reason === 'aborted') return result;
    if (!result.ok && speaksOfTheRoad(result.refusal)) return this.#failed(road, result.refusal);
    this.#become(roadWorked(this.#state, road, this.#nowMs()));
    return result;
  }

  #failed(road: number, refusal: Refusal): Result<never> {
    this.#become(
      roadFailed(this.#state, road, refusal, {
        isEncrypted: this.#ways.isEncrypted,
        nowMs: this.#nowMs(),
        random: this.#ports.chance.random(),
        retry: this.#patience.retry,
      }),
    );
    return { ok: false, refusal: refusalOfRoads(this.#state, this.#ways.urls, this.#nowMs()) ?? refusal };
  }

  #become(state: RoadsState): void {
    const before = this.#state;
    this.#state = state;
    if (before.current === state.current) return;
    const [from, to] = [before, state].map(({ current }) => this.#ways.urls[current]);
    if (state.current < before.current) return tell(this.#ports.log, 'FL-ROAD-BACK', { from, to });
    const refusal = state.health[before.current]?.refusal;
    tell(this.#ports.log, 'FL-ROAD-LEFT', { from, to, reason: refusal?.reason, seen: refusal?.detail });
  }

  #nowMs(): number {
    return this.#ports.clock.monotonicMs();
  }
}
