/**
 * Random lives of a gateway: a server that changes settings well and badly, lost notifications, outages, restarts and power cuts.
 * No value may cut the gateway off, only what was proven may be stored, and nothing may be written without a change.
 */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import {
  acceptTelemetry,
  type Changes,
  initialState,
  nextChanges,
  nextStartMs,
  pendingChanges,
  receive,
  recordAttempt,
  type SettingsState,
  type StoredSettings,
  settingsToStore,
  startTrial,
  TRIAL_MS,
  takeBack,
  trialEndMs,
} from '../../../src/core/downlink/settings-trial.ts';
import { repetitions } from '../../repetitions.ts';

const KEYS = ['interval', 'profile', 'url'] as const;
/** A gateway that has it delivers nothing, and hears nothing. */
const BAD = 'bad';
/** Does not fit the local configuration. */
const UNFIT = 'unfit';
const ALONE = new Set(['url']);
const TICK_MS = 10_000;
const SLACK_MS = 2 * TICK_MS;

type Step =
  | { readonly is: 'set'; readonly key: string; readonly text: string | null; readonly isNotified: boolean }
  | { readonly is: 'register' | 'power cut' }
  | { readonly is: 'outage' | 'time'; readonly ticks: number };

class Gateway {
  /** Keys whose local value is bad: deleting the attribute cuts the gateway off. */
  readonly #badLocally: ReadonlySet<string>;
  readonly #server = new Map<string, string>();
  #disk: StoredSettings;
  #state: SettingsState;
  #nowMs = 0;
  #outageUntilMs = 0;
  #cutOffMs = 0;
  /** Sets of values with which telemetry was accepted. */
  readonly #proven: Set<string>;
  writes = 0;
  changes = 0;

  constructor(badLocally: readonly string[]) {
    this.#badLocally = new Set(badLocally);
    const confirmed = new Map(badLocally.map((key) => [key, { text: 'first', sinceMs: 0 }] as const));
    for (const key of badLocally) this.#server.set(key, 'first');
    this.#disk = { confirmed, rejected: new Map() };
    this.#state = initialState(this.#disk);
    this.#proven = new Set([textOf(this.#values())]);
  }

  step(step: Step): void {
    switch (step.is) {
      case 'set':
        return this.#set(step.key, step.text, step.isNotified);
      case 'register':
        if (this.#isReachable())
          this.#state = receive(this.#state, { is: 'all', values: new Map(this.#server) });
        return this.#store();
      case 'power cut':
        this.#state = initialState(this.#disk);
        this.#cutOffMs = 0;
        return;
      case 'outage':
        this.#outageUntilMs = this.#nowMs + step.ticks * TICK_MS;
        return;
      case 'time':
        for (let tick = 0; tick < step.ticks; tick += 1) this.#tick();
    }
  }

  /** Enough time for everything that is pending, on a server that works. */
  settle(): void {
    this.#outageUntilMs = 0;
    for (let hour = 0; hour < 4; hour += 1) {
      this.step({ is: 'register' });
      this.step({ is: 'time', ticks: 360 });
    }
    assert.equal(this.#state.trial, undefined);
    assert.equal(pendingChanges(this.#state).size, 0);
    for (const key of KEYS) {
      const wish = this.#server.get(key) ?? null;
      const counts = this.#values().get(key) ?? null;
      const isExplained = this.#state.rejected.get(key) === wish || this.#state.unfit.get(key) === wish;
      assert.ok(counts === wish || isExplained, `${key}: ${counts} counts, the server wants ${wish}`);
    }
  }

  #set(key: string, text: string | null, isNotified: boolean): void {
    this.changes += 1;
    if (text === null) this.#server.delete(key);
    else this.#server.set(key, text);
    if (!isNotified || !this.#isReachable()) return;
    this.#state = receive(
      this.#state,
      text === null ? { is: 'deleted', keys: [key] } : { is: 'changed', values: new Map([[key, text]]) },
    );
    this.#store();
  }

  #tick(): void {
    this.#nowMs += TICK_MS;
    if (trialEndMs(this.#state) <= this.#nowMs) this.#state = takeBack(this.#state, this.#nowMs);
    if (nextStartMs(this.#state) <= this.#nowMs) this.#tryChanges(nextChanges(this.#state, ALONE));
    if (this.#isReachable()) {
      this.#proven.add(textOf(this.#values()));
      this.#state = acceptTelemetry(this.#state, this.#nowMs, this.#nowMs);
    }
    this.#cutOffMs = this.#isCutOff() ? this.#cutOffMs + TICK_MS : 0;
    assert.ok(this.#cutOffMs <= TRIAL_MS + SLACK_MS, `cut off for ${this.#cutOffMs} ms`);
    this.#store();
  }

  #tryChanges(changes: Changes): void {
    const isUnfit = ([, wish]: readonly [string, string | null]) => wish === UNFIT;
    this.#state = recordAttempt(this.#state, new Map([...changes].filter(isUnfit)), this.#nowMs);
    const fitting = new Map([...changes].filter((change) => !isUnfit(change)));
    const at = { monotonicMs: this.#nowMs, bootMs: this.#nowMs, wallMs: this.#nowMs, intervalMs: TICK_MS };
    if (fitting.size > 0) this.#state = startTrial(this.#state, fitting, at);
  }

  /** Writes what has changed, as the agent does after each step. */
  #store(): void {
    const next = settingsToStore(this.#state, this.#disk);
    if (storedText(next) === storedText(this.#disk)) return;
    this.#disk = next;
    this.writes += 1;
    const values = new Map([...next.confirmed].map(([key, { text }]) => [key, text]));
    assert.ok(this.#proven.has(textOf(values)), `stored without proof: ${textOf(values)}`);
    assert.ok(this.writes <= this.changes, `${this.writes} writes after ${this.changes} changes`);
  }

  #values(): Map<string, string> {
    const values = new Map([...this.#state.confirmed].map(([key, { text }]) => [key, text]));
    for (const [key, wish] of this.#state.trial?.changes ?? []) {
      if (wish === null) values.delete(key);
      else values.set(key, wish);
    }
    return values;
  }

  #isCutOff(): boolean {
    const values = this.#values();
    return KEYS.some((key) => values.get(key) === BAD || (this.#badLocally.has(key) && !values.has(key)));
  }

  #isReachable(): boolean {
    return this.#nowMs >= this.#outageUntilMs && !this.#isCutOff();
  }
}

function textOf(values: ReadonlyMap<string, string>): string {
  return JSON.stringify([...values].sort());
}

function storedText({ confirmed, rejected }: StoredSettings): string {
  return JSON.stringify([[...confirmed].sort(), [...rejected].sort()]);
}

const key = fc.constantFrom(...KEYS);
const text = fc.constantFrom('good', 'better', BAD, UNFIT, null);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ is: fc.constant('set' as const), key, text, isNotified: fc.boolean() }),
  fc.record({ is: fc.constantFrom('register' as const, 'power cut' as const) }),
  fc.record({
    is: fc.constantFrom('outage' as const, 'time' as const),
    ticks: fc.integer({ min: 1, max: 60 }),
  }),
);

const LIVES = repetitions(250);

it('no life of changes, outages and power cuts cuts a gateway off', () => {
  let writes = 0;
  let changes = 0;
  fc.assert(
    fc.property(
      fc.subarray([...KEYS]),
      fc.array(step, { maxLength: 60, size: 'max' }),
      (badLocally, steps) => {
        const gateway = new Gateway(badLocally);
        for (const each of steps) gateway.step(each);
        gateway.settle();
        writes += gateway.writes;
        changes += gateway.changes;
      },
    ),
    { numRuns: LIVES },
  );
  assert.ok(
    writes > LIVES,
    `${writes} writes after ${changes} changes: the lives are too quiet to prove anything`,
  );
});
