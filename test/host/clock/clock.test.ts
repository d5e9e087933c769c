/** The host clock and its double under one contract, and what only one of them can do. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { clockContract } from '../../contracts/clock.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const CLOCK_MODULE = new URL('../../../src/host/clock/clock.js', import.meta.url).href;

clockContract('the host clock', () => ({
  clock: hostClock(),
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  elsewhere: async () => {
    const script = `const { hostClock } = await import('${CLOCK_MODULE}');
      const clock = hostClock();
      console.log(JSON.stringify({ bootId: clock.bootId, bootMs: clock.bootMs() }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return JSON.parse(stdout);
  },
}));

it('the host clock counts from the boot, not from the start of the process', () => {
  const [seconds] = process.hrtime();
  assert.ok(hostClock().bootMs() >= seconds * 1000);
});

it('the host clock never starts a timer that is too long for Node', async () => {
  const warnings: string[] = [];
  const listen = (warning: Error): number => warnings.push(warning.name);
  process.on('warning', listen);
  const stop = new AbortController();
  const asleep = hostClock().sleep(2 ** 31, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort();
  await asleep;
  process.off('warning', listen);
  assert.deepEqual(warnings, []);
});

it('the host clock reports the largest delay of completed sleeps once', async () => {
  const clock = hostClock();
  const stop = new AbortController();
  assert.equal(clock.drainTimerLagMs(), undefined);
  const aborted = clock.sleep(60_000, stop.signal);
  stop.abort();
  await aborted;
  assert.equal(clock.drainTimerLagMs(), undefined);
  const { signal } = new AbortController();
  const asleep = [clock.sleep(1, signal), clock.sleep(60, signal)];
  const busyUntilMs = performance.now() + 50;
  while (performance.now() < busyUntilMs);
  await Promise.all(asleep);
  // The first was due after 1 ms and could not end before 50 ms; the second does not reset that.
  assert.ok((clock.drainTimerLagMs() ?? 0) >= 48);
  assert.equal(clock.drainTimerLagMs(), undefined);
});

clockContract('the virtual clock', () => {
  const clock = new VirtualClock();
  return {
    clock,
    pass: (ms) => clock.advance(ms),
    elsewhere: async () => ({ bootId: clock.bootId, bootMs: clock.bootMs() }),
    stepWall: (ms) => clock.stepWall(ms),
  };
});

it('a suspend of the virtual clock moves date and boot time, but no sleep', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1), { bootId: 'mine', bootMs: 5000 });
  void clock.sleep(1000, new AbortController().signal);
  clock.suspend(3_600_000);
  await clock.advance(999);
  const state = [clock.bootId, clock.bootMs(), clock.monotonicMs(), clock.sleeping];
  assert.deepEqual(state, ['mine', 3_605_999, 999, 1]);
  assert.equal(clock.wallMs(), Date.UTC(2026, 0, 1) + 3_600_999);
});

it('a loop of ten-second sleeps runs exactly 8,640 times in a virtual day', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const wakeTimesMs: number[] = [];
  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await clock.sleep(10_000, stop.signal);
      wakeTimesMs.push(clock.monotonicMs());
    }
  };
  const running = loop();
  await clock.advance(86_400_000);
  assert.equal(wakeTimesMs.length, 8640);
  assert.ok(wakeTimesMs.every((ms, index) => ms === (index + 1) * 10_000));
  stop.abort();
  await running;
});

it('sleeps of the virtual clock that end together end in the order of their start', async () => {
  const clock = new VirtualClock();
  const { signal } = new AbortController();
  const order: number[] = [];
  for (const sleeper of [1, 2, 3]) void clock.sleep(5, signal).then(() => order.push(sleeper));
  await clock.advance(5);
  assert.deepEqual(order, [1, 2, 3]);
  assert.equal(clock.sleeping, 0);
});

it('a step of the virtual wall clock does not affect sleeps', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 5, 1));
  void clock.sleep(1000, new AbortController().signal);
  clock.stepWall(-3_600_000);
  await clock.advance(999);
  assert.equal(clock.sleeping, 1);
  assert.equal(clock.wallMs(), Date.UTC(2026, 5, 1) - 3_600_000 + 999);
});

it('advanceToNext ends when the next sleep is due, and returns false without one', async () => {
  const clock = new VirtualClock();
  void clock.sleep(250, new AbortController().signal);
  assert.equal(await clock.advanceToNext(), true);
  assert.equal(clock.monotonicMs(), 250);
  assert.equal(await clock.advanceToNext(), false);
});
