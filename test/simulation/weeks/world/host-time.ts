/**
 * The clocks of the simulated host: an oscillator that drifts, a wall clock without a battery, a time
 * service, and persons who set the date.
 *
 * At boot the wall clock is right, days old or in 1970, and unsynchronised. While the time service
 * disciplines it, the wall clock is right; otherwise it follows the oscillator. After a person sets it, the
 * service reports it as unsynchronised until the service has corrected it.
 */

import type { Clock, OffsetMemory, TimeSync } from '../../../../src/core/ports/clock.ts';
import { MemoryOffsetStore } from '../../../doubles/memory-offset-store.ts';
import { override } from '../../override.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualBoot, VirtualTime } from '../../virtual-time.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../plan/week-plan.ts';

/** When virtual time begins, Unix ms. */
export const EPOCH_MS = Date.UTC(2026, 2, 1);

export interface Boot {
  readonly number: number;
  readonly host: VirtualBoot;
  /** When the wall clock was first synchronised, virtual ms. */
  synchronisedMs?: number;
  /** Phases without discipline by the time service; the last may be open. */
  readonly driftPhases: { fromMs: number; toMs: number }[];
  /** The runtime directory, which lasts as long as the boot. */
  readonly memory: OffsetMemory;
}

export class HostTime {
  readonly #time: VirtualTime;
  readonly #random: SeededRandom;
  readonly #drift: number;
  readonly #isTrusted: boolean;
  #boot: Boot;
  #haveFaultsEnded = false;
  #isSynchronised = false;
  #isDisciplined = false;
  /** The last setting of the wall clock, and its time. */
  #setWallMs = 0;
  #setAtMs = 0;

  constructor(time: VirtualTime, random: SeededRandom, drift: number, isTrusted: boolean) {
    this.#time = time;
    this.#random = random;
    this.#drift = drift;
    this.#isTrusted = isTrusted;
    this.#boot = this.boot();
  }

  get current(): Boot {
    return this.#boot;
  }

  /** Switches the host on. */
  boot(): Boot {
    const number = (this.#boot?.number ?? 0) + 1;
    const boot: Boot = { number, host: this.#time.boot(), driftPhases: [], memory: new MemoryOffsetStore() };
    this.#boot = boot;
    this.#isSynchronised = false;
    this.#isDisciplined = false;
    if (this.#isTrusted) {
      this.#synchronise(boot);
      return boot;
    }
    this.#set(EPOCH_MS + this.#time.nowMs + this.#initialErrorMs(), false);
    this.#drawBoot(boot);
    if (this.#haveFaultsEnded) this.endFaults();
    return boot;
  }

  /** From now on the time service works at every boot, and no person sets the clock. */
  endFaults(): void {
    this.#haveFaultsEnded = true;
    const boot = this.#boot;
    this.#time.after(10 * SECOND, () => this.#synchronise(boot));
  }

  /** The clock of a process that starts now. `guard` is called at each reading of it. */
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

  /** A query takes up to 2 s; `sleep` is that of the querying process. */
  timeSync(sleep: Clock['sleep']): TimeSync {
    const answer = async (signal: AbortSignal) => {
      await sleep(this.#random.logBetween(5, 2 * SECOND), signal);
      return this.#isSynchronised;
    };
    return { isSynchronised: answer, confirmsStep: answer };
  }

  /**
   * The maximum error of a timestamp at `atMs` by drift, ms: since the last discipline of the clock, and for
   * a reading that got its timestamp later, between the reading and the first synchronisation. `unobservedMs`: the time before
   * the start of the process in which no other one compared the clocks; it counts if the clock is not disciplined.
   */
  driftMsMax(boot: Boot, atMs: number, wasUndated: boolean, unobservedMs: number): number {
    const { synchronisedMs, driftPhases } = boot;
    if (synchronisedMs === undefined) return 0;
    const phase = driftPhases.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs + 10 * MINUTE);
    const untilMs = phase && Number.isFinite(phase.toMs) ? phase.toMs : atMs;
    const undisciplinedMs = phase ? untilMs - phase.fromMs + unobservedMs : 0;
    const untilSynchronisedMs = wasUndated ? Math.abs(atMs - synchronisedMs) : 0;
    return (undisciplinedMs + untilSynchronisedMs) * Math.abs(this.#drift);
  }

  #wallMs(): number {
    const elapsedMs = this.#time.nowMs - this.#setAtMs;
    // Date.now() returns whole milliseconds.
    return Math.floor(this.#setWallMs + elapsedMs * (this.#isDisciplined ? 1 : 1 + this.#drift));
  }

  #set(wallMs: number, isDisciplined: boolean): void {
    this.#setWallMs = wallMs;
    this.#setAtMs = this.#time.nowMs;
    if (this.#isDisciplined && !isDisciplined) {
      this.#boot.driftPhases.push({ fromMs: this.#time.nowMs, toMs: Number.POSITIVE_INFINITY });
    }
    const last = this.#boot.driftPhases.at(-1);
    if (!this.#isDisciplined && isDisciplined && last) last.toMs = this.#time.nowMs;
    this.#isDisciplined = isDisciplined;
  }

  #synchronise(boot: Boot): void {
    if (boot !== this.#boot) return;
    boot.synchronisedMs ??= this.#time.nowMs;
    this.#isSynchronised = true;
    this.#set(EPOCH_MS + this.#time.nowMs, true);
  }

  #initialErrorMs(): number {
    const random = this.#random;
    return random.weighted([
      [3, random.between(-SECOND, SECOND)],
      [4, -random.logBetween(MINUTE, 300 * DAY)],
      [2, HOUR - EPOCH_MS - this.#time.nowMs],
      [1, random.logBetween(MINUTE, 30 * DAY)],
    ]);
  }

  #drawBoot(boot: Boot): void {
    const random = this.#random;
    const isNever = random.isTrue(0.15);
    const syncMs = isNever ? Number.POSITIVE_INFINITY : random.logBetween(5 * SECOND, 6 * HOUR);
    for (let left = random.integer(0, 3); left > 0; left -= 1) {
      this.#later(boot, random.logBetween(SECOND, Math.min(syncMs, 6 * HOUR)), () => this.#step());
    }
    if (isNever) return;
    this.#later(boot, syncMs, () => this.#synchronise(boot));
    for (let atMs = syncMs; random.isTrue(0.4); ) {
      atMs += random.logBetween(MINUTE, 2 * DAY);
      const isManual = random.isTrue(0.6);
      this.#later(boot, atMs, () => (isManual ? this.#setWrong() : this.#loseServer()));
      atMs += isManual ? random.logBetween(10 * SECOND, 6 * HOUR) : random.logBetween(10 * MINUTE, 2 * DAY);
      this.#later(boot, atMs, () => this.#synchronise(boot));
    }
  }

  #later(boot: Boot, ms: number, action: () => void): void {
    if (!Number.isFinite(ms)) return;
    this.#time.after(ms, () => {
      if (boot === this.#boot && !this.#haveFaultsEnded) action();
    });
  }

  /** Steps a clock that is not synchronised. */
  #step(): void {
    if (this.#isSynchronised) return;
    this.#set(this.#wallMs() + this.#stepMs(), false);
  }

  /** A person sets a correct clock wrong. */
  #setWrong(): void {
    this.#isSynchronised = false;
    this.#set(this.#wallMs() + this.#stepMs(), false);
  }

  /** The service loses its server; it may still report the clock as synchronised. */
  #loseServer(): void {
    this.#isSynchronised = this.#random.isTrue(0.5);
    this.#set(this.#wallMs(), false);
  }

  #stepMs(): number {
    const ms = this.#random.logBetween(5 * SECOND, 60 * DAY);
    return this.#random.isTrue(0.5) ? ms : -ms;
  }
}
