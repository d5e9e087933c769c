/**
 * Timestamps readings by the time since boot plus an offset. The offset is taken only from a wall clock that
 * a time service has set in this boot: a gateway without a clock chip boots with a plausible time that is
 * months old. From then on:
 *
 *   the wall clock is within a second of the offset ─▶ the offset follows it
 *   it has stepped ─▶ the offset holds until a time service confirms the step; later readings use the new one
 *   the time service has lost its server ─▶ no change: the clock stays correct to seconds for days (hold-over)
 *
 * A timestamp never changes. Readings from before the first synchronisation use the first offset. With
 * `clock.trust` = "system", every wall-clock time is accepted. A date before the release of the program is never
 * accepted: a time server or GPS receiver can be years behind and call itself synchronised. A later process of the same boot continues
 * with the same offsets (`restore`), so that a reading which both processes send has one timestamp.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import { logEvent } from '../events/catalogue.ts';
import type { ClockTrust } from '../model/config.ts';
import type { Instant } from '../model/reading.ts';
import type { Clock, ClockState, OffsetMemory, StoredOffsets, TimeSync } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import { BootOffsets } from './boot-offsets.ts';
import { UniqueTimestamps } from './unique-timestamps.ts';
import { WallOffset } from './wall-offset.ts';

export interface TimestamperPorts {
  readonly clock: Clock;
  readonly timeSync: TimeSync;
  readonly log: Logger;
  /** Absent: the next process of this boot starts without offsets. */
  readonly memory?: Pick<OffsetMemory, 'save'> | undefined;
}

export interface TimestamperSettings {
  readonly trust: ClockTrust;
  /** No date before this one is accepted, Unix ms. Default: any date. */
  readonly releasedMs?: number;
}

export class Timestamper {
  readonly #ports: TimestamperPorts;
  readonly #isTrusted: boolean;
  readonly #offset: WallOffset;
  readonly #timestamps = new UniqueTimestamps();
  readonly #bootOffsets: BootOffsets;
  readonly #releasedMs: number;
  #isStepUnconfirmed = false;
  /** The wall clock shows a date before the release, and this is logged. */
  #isBeforeRelease = false;
  #lastBootMs = Number.NEGATIVE_INFINITY;
  /** Notified of a step that has not been checked yet. */
  readonly #steps = new AsyncSignal();

  constructor(ports: TimestamperPorts, settings: TimestamperSettings) {
    const { trust, releasedMs = Number.NEGATIVE_INFINITY } = settings;
    this.#ports = ports;
    this.#isTrusted = trust === 'system';
    this.#releasedMs = releasedMs;
    this.#offset = new WallOffset(ports.clock);
    this.#bootOffsets = new BootOffsets(ports.memory, ports.clock);
  }

  /**
   * Dates the undated readings of this boot: `tsMs = round(bootMs + firstOffsetMs)`. Never changes once
   * known.
   */
  get firstOffsetMs(): number | undefined {
    return this.#bootOffsets.firstMs;
  }

  get clockState(): ClockState {
    if (this.#offset.acceptedMs === undefined)
      return this.#isTrusted && !this.#isBeforeRelease ? 'trusted' : 'not synchronised';
    if (this.#isStepUnconfirmed) return 'step unconfirmed';
    return this.#isTrusted ? 'trusted' : 'synchronised';
  }

  /** Continues with the offsets of an earlier process of this boot. Call before the first `now`. */
  restore({ firstMs, believedMs: acceptedMs, savedBootMs }: StoredOffsets): void {
    if (!this.#isPossible(firstMs)) return;
    this.#bootOffsets.restore(firstMs);
    if (acceptedMs === undefined || this.#isTrusted || !this.#isPossible(acceptedMs)) return;
    this.#accept(acceptedMs);
    const { clock, log } = this.#ports;
    // Of a host that was on for days without the agent, the first reading would be off by seconds.
    if (savedBootMs !== undefined) this.#offset.follow(Math.max(0, clock.bootMs() - savedBootMs));
    logEvent(log, 'FL-CLOCK-RESUMED');
  }

  /** The present instant. `bootMs` and `tsMs` are whole numbers, and no two instants share either. */
  now(): Instant {
    const { clock } = this.#ports;
    const { bootId } = clock;
    const bootMs = Math.max(Math.round(clock.bootMs()), this.#lastBootMs + 1);
    this.#lastBootMs = bootMs;
    if (this.#isTrusted) this.#acceptWallClock();
    else if (this.#offset.hasUnconfirmedStep()) this.#steps.notify();
    const { acceptedMs } = this.#offset;
    if (acceptedMs !== undefined)
      return { bootId, bootMs, tsMs: this.#timestamps.reserve(Math.round(bootMs + acceptedMs)) };
    this.#timestamps.addUndated(bootMs);
    return { bootId, bootMs };
  }

  /**
   * Polls until the clock is synchronised, calls `onFirstOffset` once, then watches for steps until the
   * signal aborts. Rejects only if `onFirstOffset` does.
   */
  async run(onFirstOffset: (offsetMs: number) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#isTrusted) await this.#awaitTrustedDate(signal);
    else if (this.#offset.acceptedMs === undefined) await this.#synchronise(signal);
    if (this.#offset.acceptedMs === undefined || this.firstOffsetMs === undefined) return;
    await onFirstOffset(this.firstOffsetMs);
    while (!signal.aborted) {
      if (this.#isTrusted) {
        await this.#ports.clock.sleep(CHECK_EVERY_MS, signal);
        this.#acceptWallClock();
      } else {
        await this.#sleep(CHECK_EVERY_MS, signal);
        await this.#confirmStep(signal);
      }
    }
  }

  /** Accepts the wall clock, as soon as it shows a possible date. */
  async #awaitTrustedDate(signal: AbortSignal): Promise<void> {
    for (this.#acceptWallClock(); this.#offset.acceptedMs === undefined; this.#acceptWallClock()) {
      await this.#ports.clock.sleep(RETRY_MS, signal);
      if (signal.aborted) return;
    }
    logEvent(this.#ports.log, 'FL-CLOCK-TRUSTED');
  }

  /** Polls until the time service has set the clock. */
  async #synchronise(signal: AbortSignal): Promise<void> {
    const { clock, timeSync, log } = this.#ports;
    const startedMs = clock.monotonicMs();
    let isLogged = false;
    while (!signal.aborted) {
      const offsetMs = await this.#offset.confirm(() => timeSync.isSynchronised(signal));
      if (signal.aborted) return;
      const elapsedMs = clock.monotonicMs() - startedMs;
      if (typeof offsetMs === 'number') {
        if (this.#isPossible(offsetMs)) {
          this.#accept(offsetMs);
          logEvent(log, 'FL-CLOCK-SYNCHRONISED', { afterS: inSeconds(elapsedMs) });
          return;
        }
        this.#reportDateBeforeRelease();
        isLogged = true;
      }
      if (!isLogged && elapsedMs >= UNSYNCHRONISED_LOGGED_AFTER_MS) {
        isLogged = true;
        logEvent(log, 'FL-CLOCK-UNSYNCHRONISED');
      }
      await clock.sleep(offsetMs === 'moved' ? RETRY_MS : pollIntervalMs(elapsedMs), signal);
    }
  }

  /** After a step: polls until the step is confirmed or reverted. */
  async #confirmStep(signal: AbortSignal): Promise<void> {
    const { clock, timeSync, log } = this.#ports;
    const startedMs = clock.monotonicMs();
    let isLogged = false;
    for (;;) {
      const stepMs = this.#offset.follow();
      if (stepMs === undefined) break;
      const offsetMs = await this.#offset.confirm(() => timeSync.confirmsStep(signal));
      if (signal.aborted) return;
      if (typeof offsetMs === 'number' && this.#isPossible(offsetMs)) {
        this.#accept(offsetMs);
        logEvent(log, 'FL-CLOCK-STEPPED', { byS: inSeconds(stepMs) });
        return;
      }
      if (typeof offsetMs === 'number') this.#reportDateBeforeRelease();
      else if (!isLogged && offsetMs === undefined)
        logEvent(log, 'FL-CLOCK-STEP-UNCONFIRMED', { byS: inSeconds(stepMs) });
      if (offsetMs !== 'moved') {
        isLogged = true;
        this.#isStepUnconfirmed = true;
        // The next process must not take the step for drift.
        if (this.#offset.acceptedMs !== undefined) this.#bootOffsets.accept(this.#offset.acceptedMs, true);
      }
      const elapsedMs = clock.monotonicMs() - startedMs;
      await this.#sleep(offsetMs === 'moved' ? RETRY_MS : pollIntervalMs(elapsedMs), signal);
      if (signal.aborted) return;
    }
    const { acceptedMs } = this.#offset;
    if (acceptedMs !== undefined) this.#bootOffsets.accept(acceptedMs, true);
    this.#isStepUnconfirmed = false;
    this.#isBeforeRelease = false;
    if (isLogged) logEvent(log, 'FL-CLOCK-STEP-REVERTED');
  }

  /** Sleeps until `ms` are over or a step has not been checked yet. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#offset.hasUnconfirmedStep()) return;
    await this.#steps.waitUpTo(ms, this.#ports.clock, signal);
  }

  /** Accepts the wall clock without a check but that of its date. */
  #acceptWallClock(): void {
    if (!this.#isPossible(this.#offset.measuredMs)) {
      this.#isStepUnconfirmed = this.#offset.acceptedMs !== undefined;
      this.#reportDateBeforeRelease();
      return;
    }
    const wasUnconfirmed = this.#isStepUnconfirmed;
    const stepMs = this.#offset.follow();
    if (stepMs !== undefined) logEvent(this.#ports.log, 'FL-CLOCK-STEPPED', { byS: inSeconds(stepMs) });
    else if (wasUnconfirmed) logEvent(this.#ports.log, 'FL-CLOCK-STEP-REVERTED');
    this.#accept(this.#offset.measuredMs);
  }

  /** Whether the present date by this offset is not before the release of the program. */
  #isPossible(offsetMs: number): boolean {
    return offsetMs + this.#ports.clock.bootMs() >= this.#releasedMs;
  }

  #reportDateBeforeRelease(): void {
    if (this.#isBeforeRelease) return;
    this.#isBeforeRelease = true;
    logEvent(this.#ports.log, 'FL-CLOCK-BEFORE-RELEASE', {
      date: new Date(this.#ports.clock.wallMs()).toISOString(),
      earliest: new Date(this.#releasedMs).toISOString(),
    });
  }

  #accept(offsetMs: number): void {
    const isFirst = this.#offset.acceptedMs === undefined;
    this.#isStepUnconfirmed = false;
    this.#isBeforeRelease = false;
    this.#offset.accept(offsetMs);
    this.#bootOffsets.accept(offsetMs, !this.#isTrusted);
    if (isFirst && this.firstOffsetMs !== undefined) this.#timestamps.setBootOffset(this.firstOffsetMs);
  }
}

const CHECK_EVERY_MS = 60_000;
const RETRY_MS = 2000;
const UNSYNCHRONISED_LOGGED_AFTER_MS = 120_000;

/**
 * Short at first, because the first synchronisation of a boot takes seconds; a poll may start two processes.
 */
function pollIntervalMs(elapsedMs: number): number {
  if (elapsedMs < 60_000) return RETRY_MS;
  return elapsedMs < 660_000 ? 10_000 : CHECK_EVERY_MS;
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
