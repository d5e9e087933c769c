/**
 * What every `Clock` promises, asked of the host's clock and of the hand-cranked one alike.
 *
 * `pass` lets a few milliseconds go by: by waiting for the one, by turning the crank for the other.
 */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/core/ports.ts';

export interface ClockUnderTest {
  readonly clock: Clock;
  pass(ms: number): Promise<void>;
}

/**
 * Long beside what the tests let pass, short enough that a sleep nobody can wake fails its test and not the
 * whole run.
 */
const LONG_MS = 8000;

export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`${name} keeps the clock contract`, () => {
    it('wall time is Unix milliseconds of this century', () => {
      const { clock } = make();
      assert.ok(clock.wallMs() > Date.UTC(2024, 0, 1), `${clock.wallMs()} is too early`);
      assert.ok(clock.wallMs() < Date.UTC(2100, 0, 1), `${clock.wallMs()} is too late`);
    });

    it('both times advance by what passes', async () => {
      const { clock, pass } = make();
      const before = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
      await pass(20);
      assert.ok(clock.monotonicMs() - before.monotonicMs >= 19);
      assert.ok(clock.wallMs() - before.wallMs >= 18);
    });

    describe('a sleep', () => sleepContract(make));
  });
}

function sleepContract(make: () => ClockUnderTest): void {
  it('ends when its time has passed, and never earlier', async () => {
    const { clock, pass } = make();
    const startMs = clock.monotonicMs();
    let tookMs: number | undefined;
    const asleep = clock.sleep(15, new AbortController().signal).then(() => {
      tookMs = clock.monotonicMs() - startMs;
    });
    await pass(40);
    await asleep;
    assert.ok(tookMs !== undefined && tookMs >= 15, `took ${tookMs} ms`);
  });

  it('that is shorter ends before one that is longer, whichever began first', async () => {
    const { clock, pass } = make();
    const { signal } = new AbortController();
    const order: string[] = [];
    const sleeps = [
      clock.sleep(25, signal).then(() => order.push('long')),
      clock.sleep(5, signal).then(() => order.push('short')),
    ];
    await pass(60);
    await Promise.all(sleeps);
    assert.deepEqual(order, ['short', 'long']);
  });

  it('ends at once when the signal aborts, and does not reject', async () => {
    const { clock, pass } = make();
    const stop = new AbortController();
    const startMs = clock.monotonicMs();
    const asleep = clock.sleep(LONG_MS, stop.signal);
    await pass(1);
    stop.abort(new Error('stopping'));
    await asleep;
    assert.ok(clock.monotonicMs() - startMs < 5000);
  });

  it('does not begin when the signal has aborted already', async () => {
    const { clock } = make();
    const startMs = clock.monotonicMs();
    await clock.sleep(LONG_MS, AbortSignal.abort());
    assert.ok(clock.monotonicMs() - startMs < 5000);
  });

  it('of zero, of less, or of no number ends without time passing', async () => {
    const { clock } = make();
    const { signal } = new AbortController();
    for (const ms of [0, -5, Number.NaN]) await clock.sleep(ms, signal);
  });

  it('leaves no listener on the signal, however it ended', async () => {
    const { clock, pass } = make();
    const stop = new AbortController();
    const short = clock.sleep(2, stop.signal);
    const long = clock.sleep(LONG_MS, stop.signal);
    await pass(20);
    await short;
    assert.equal(getEventListeners(stop.signal, 'abort').length, 1);
    stop.abort();
    await long;
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  });

  it('longer than a timer can hold (24.8 days) does not end at once', async () => {
    const { clock, pass } = make();
    const stop = new AbortController();
    for (const ms of [2 ** 31, 30 * 86_400_000, Number.POSITIVE_INFINITY]) {
      let ended = false;
      const asleep = clock.sleep(ms, stop.signal).then(() => {
        ended = true;
      });
      await pass(10);
      assert.equal(ended, false, `${ms} ms`);
      void asleep;
    }
    stop.abort();
  });
}
