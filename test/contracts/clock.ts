/** The contract of `Clock`, for the clock of the host and for the virtual clock. */

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/core/ports/clock.ts';

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets time pass, by waiting or by advancing a virtual clock. */
  pass(ms: number): Promise<void>;
  elsewhere(): Promise<{ readonly bootId: string; readonly bootMs: number }>;
  /** Absent if a test cannot set the clock. */
  stepWall?(ms: number): void;
}

/**
 * Much longer than the time that the tests let pass, but short enough that a stuck sleep fails only its test.
 */
const LONG_MS = 8000;

export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`${name} keeps the clock contract`, () => {
    it('wall time is Unix milliseconds of this century', () => {
      const { clock } = make();
      assert.ok(clock.wallMs() > Date.UTC(2024, 0, 1), `${clock.wallMs()} is too early`);
      assert.ok(clock.wallMs() < Date.UTC(2100, 0, 1), `${clock.wallMs()} is too late`);
    });

    it('all clocks advance by the elapsed time', async () => {
      const { clock, pass } = make();
      const before = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs(), bootMs: clock.bootMs() };
      await pass(20);
      assert.ok(clock.monotonicMs() - before.monotonicMs >= 19);
      assert.ok(clock.bootMs() - before.bootMs >= 19);
      assert.ok(clock.wallMs() - before.wallMs >= 18);
    });

    it('the time since boot never goes back and follows the monotonic time', async () => {
      const { clock, pass } = make();
      const start = { monotonicMs: clock.monotonicMs(), bootMs: clock.bootMs() };
      let lastMs = start.bootMs;
      for (let turn = 0; turn < 20; turn++) {
        await pass(1);
        const [beforeMs, bootMs, afterMs] = [clock.monotonicMs(), clock.bootMs(), clock.monotonicMs()];
        assert.ok(bootMs >= lastMs);
        assert.ok(bootMs - start.bootMs >= beforeMs - start.monotonicMs - 1, `${bootMs} lags`);
        assert.ok(bootMs - start.bootMs <= afterMs - start.monotonicMs + 1, `${bootMs} hurries`);
        lastMs = bootMs;
      }
    });

    it('all processes of the host read the same boot ID and time since boot', async () => {
      const { clock, elsewhere } = make();
      assert.match(clock.bootId, /\S/);
      const beforeMs = clock.bootMs();
      const there = await elsewhere();
      assert.equal(there.bootId, clock.bootId);
      // A tolerance of 1 s for a host that was once suspended, whose boot time has a resolution of 10 ms.
      assert.ok(there.bootMs >= beforeMs - 1000, `${there.bootMs} is before ${beforeMs}`);
      assert.ok(there.bootMs <= clock.bootMs() + 1000, `${there.bootMs} is after ${clock.bootMs()}`);
    });

    it('a step of the wall clock changes no other clock', (t) => {
      const { clock, stepWall } = make();
      if (stepWall === undefined) return t.skip('a test may not step this clock');
      const before = { monotonicMs: clock.monotonicMs(), bootMs: clock.bootMs() };
      for (const ms of [86_400_000, -3 * 86_400_000]) {
        stepWall(ms);
        assert.deepEqual({ monotonicMs: clock.monotonicMs(), bootMs: clock.bootMs() }, before);
      }
    });

    describe('sleep', () => sleepContract(make));
  });
}

function sleepContract(make: () => ClockUnderTest): void {
  it('a sleep ends when its time has passed, and not earlier', async () => {
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

  it('a shorter sleep ends before a longer one that started first', async () => {
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

  it('a sleep resolves at once when the signal aborts', async () => {
    const { clock, pass } = make();
    const stop = new AbortController();
    const startMs = clock.monotonicMs();
    const asleep = clock.sleep(LONG_MS, stop.signal);
    await pass(1);
    stop.abort(new Error('stopping'));
    await asleep;
    assert.ok(clock.monotonicMs() - startMs < 5000);
  });

  it('a sleep with an aborted signal ends at once', async () => {
    const { clock } = make();
    const startMs = clock.monotonicMs();
    await clock.sleep(LONG_MS, AbortSignal.abort());
    assert.ok(clock.monotonicMs() - startMs < 5000);
  });

  it('a sleep of zero, of a negative number or of NaN ends at once', async () => {
    const { clock } = make();
    const { signal } = new AbortController();
    for (const ms of [0, -5, Number.NaN]) await clock.sleep(ms, signal);
  });

  it('a sleep leaves no listener on the signal', async () => {
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

  it('a sleep beyond the range of a timer (24.8 days) does not end at once', async () => {
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
