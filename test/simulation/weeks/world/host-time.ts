/**
 * The clocks of the simulated host: an oscillator that drifts, a wall clock without a battery, a time service, and people who
 * set the date.
 *
 * A boot begins with a wall clock that is right, days old or in 1970, and unsynchronised. While the time service disciplines it
 * the wall clock is right; else it goes on with the oscillator, from wherever it was set. What a person sets the service calls
 * unsynchronised until it has put it right.
 */

import type { Clock, OffsetMemory, TimeSync } from '../../../../src/core/ports/clock.ts';
import { MemoryOffsetStore } from '../../../doubles/in-memory-offsets.ts';
import { override } from '../../override.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualBoot, VirtualTime } from '../../virtual-time.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../plan/week-plan.ts';

/** When virtual time begins, Unix ms. */
export const EPOCH_MS = Date.UTC(2026, 2, 1);

export interface Boot {
  readonly number: number;
  readonly host: VirtualBoot;
  /** When the wall clock was first right for sure, virtual ms. */
  synchronisedMs?: number;
  /** Stretches without discipline; the last may be open. */
  readonly isDrifting: { fromMs: number; toMs: number }[];
  /** In the runtime directory, which is gone with the boot. */
  readonly memory: OffsetMemory;
}

export class HostTime {
  readonly #time: VirtualTime;
  readonly #rng: SeededRandom;
  readonly #drift: number;
  readonly #isTrusted: boolean;
  #boot: Boot;
  #isHealed = false;
  #isSynchronised = false;
  #isDisciplined = false;
  /** Where the wall clock was set to last, and when. */
  #setWallMs = 0;
  #setAtMs = 0;

  constructor(time: VirtualTime, rng: SeededRandom, drift: number, isTrusted: boolean) {
    this.#time = time;
    this.#rng = rng;
    this.#drift = drift;
    this.#isTrusted = isTrusted;
    this.#boot = this.boot();
  }

  get current(): Boot {
    return this.#boot;
  }

  /** The host's power comes on. */
  boot(): Boot {
    const number = (this.#boot?.number ?? 0) + 1;
    const boot: Boot = { number, host: this.#time.boot(), isDrifting: [], memory: new MemoryOffsetStore() };
    this.#boot = boot;
    this.#isSynchronised = false;
    this.#isDisciplined = false;
    if (this.#isTrusted) {
      this.#synchronise(boot);
      return boot;
    }
    this.#set(EPOCH_MS + this.#time.nowMs + this.#wrongByMs(), false);
    this.#drawBoot(boot);
    if (this.#isHealed) this.heal();
    return boot;
  }

  /** From now on the time service is there at every boot, and nobody touches the clock. */
  heal(): void {
    this.#isHealed = true;
    const boot = this.#boot;
    this.#time.after(10 * SECOND, () => this.#synchronise(boot));
  }

  /** The clock of a process that starts now. `guard` is called at each look. */
  clock(guard: () => void): Clock {
    const { host } = this.#boot;
    const plain = this.#time.clock(0, host);
    return override(plain, {
      wallMs: () => this.#wallMs(),
      bootMs: () => {
        guard();
        return (this.#time.nowMs - host.atMs) * (1 + this.#drift);
      },
    });
  }

  /** Asking takes a while; `sleep` is that of the asking process. */
  timeSync(sleep: Clock['sleep']): TimeSync {
    const answer = async (signal: AbortSignal) => {
      await sleep(this.#rng.logBetween(5, 2 * SECOND), signal);
      return this.#isSynchronised;
    };
    return { isSynchronised: answer, confirmsStep: answer };
  }

  /**
   * How far a date of `boot` for the instant `atMs` may be off by drift alone, ms: since the clock was last disciplined, and for
   * a reading that was dated later, since or until the first time it was.
   */
  holdOverMs(boot: Boot, atMs: number, wasUndated: boolean): number {
    const { synchronisedMs, isDrifting } = boot;
    if (synchronisedMs === undefined) return 0;
    const stretch = isDrifting.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + 10 * MINUTE);
    const adriftMs = stretch ? (Number.isFinite(stretch.toMs) ? stretch.toMs : atMs) - stretch.fromMs : 0;
    const apartMs = wasUndated ? Math.abs(atMs - synchronisedMs) : 0;
    return (adriftMs + apartMs) * Math.abs(this.#drift);
  }

  #wallMs(): number {
    const elapsedMs = this.#time.nowMs - this.#setAtMs;
    // The wall clock of a computer is read in whole milliseconds.
    return Math.floor(this.#setWallMs + elapsedMs * (this.#isDisciplined ? 1 : 1 + this.#drift));
  }

  #set(wallMs: number, isDisciplined: boolean): void {
    this.#setWallMs = wallMs;
    this.#setAtMs = this.#time.nowMs;
    if (this.#isDisciplined && !isDisciplined) {
      this.#boot.isDrifting.push({ fromMs: this.#time.nowMs, toMs: Number.POSITIVE_INFINITY });
    }
    const last = this.#boot.isDrifting.at(-1);
    if (!this.#isDisciplined && isDisciplined && last) last.toMs = this.#time.nowMs;
    this.#isDisciplined = isDisciplined;
  }

  #synchronise(boot: Boot): void {
    if (boot !== this.#boot) return;
    boot.synchronisedMs ??= this.#time.nowMs;
    this.#isSynchronised = true;
    this.#set(EPOCH_MS + this.#time.nowMs, true);
  }

  #wrongByMs(): number {
    const rng = this.#rng;
    return rng.weighted([
      [3, rng.between(-SECOND, SECOND)],
      [4, -rng.logBetween(MINUTE, 300 * DAY)],
      [2, HOUR - EPOCH_MS - this.#time.nowMs],
      [1, rng.logBetween(MINUTE, 30 * DAY)],
    ]);
  }

  #drawBoot(boot: Boot): void {
    const rng = this.#rng;
    const isNever = rng.isTrue(0.15);
    const syncMs = isNever ? Number.POSITIVE_INFINITY : rng.logBetween(5 * SECOND, 6 * HOUR);
    for (let left = rng.integer(0, 3); left > 0; left -= 1) {
      this.#later(boot, rng.logBetween(SECOND, Math.min(syncMs, 6 * HOUR)), () => this.#step());
    }
    if (isNever) return;
    this.#later(boot, syncMs, () => this.#synchronise(boot));
    for (let atMs = syncMs; rng.isTrue(0.4); ) {
      atMs += rng.logBetween(MINUTE, 2 * DAY);
      const isManual = rng.isTrue(0.6);
      this.#later(boot, atMs, () => (isManual ? this.#setWrong() : this.#loseServer()));
      atMs += isManual ? rng.logBetween(10 * SECOND, 6 * HOUR) : rng.logBetween(10 * MINUTE, 2 * DAY);
      this.#later(boot, atMs, () => this.#synchronise(boot));
    }
  }

  #later(boot: Boot, ms: number, action: () => void): void {
    if (!Number.isFinite(ms)) return;
    this.#time.after(ms, () => {
      if (boot === this.#boot && !this.#isHealed) action();
    });
  }

  /** Of a clock that nobody vouches for. */
  #step(): void {
    if (this.#isSynchronised) return;
    this.#set(this.#wallMs() + this.#stepMs(), false);
  }

  /** A person sets a clock that was right. */
  #setWrong(): void {
    this.#isSynchronised = false;
    this.#set(this.#wallMs() + this.#stepMs(), false);
  }

  /** The service goes on calling the clock synchronised, or not. */
  #loseServer(): void {
    this.#isSynchronised = this.#rng.isTrue(0.5);
    this.#set(this.#wallMs(), false);
  }

  #stepMs(): number {
    const ms = this.#rng.logBetween(5 * SECOND, 60 * DAY);
    return this.#rng.isTrue(0.5) ? ms : -ms;
  }
}
