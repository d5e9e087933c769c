/**
 * Dating: when a reading was, by the clock that never steps and, as soon as that can be known, by the calendar.
 *
 * A date is the time since boot plus an offset, and the offset is only taken from a wall clock that a time service has set
 * in this boot: a gateway without a clock chip boots with a plausible date that is months old. From then on:
 *
 *   the wall clock is within a second of the offset ─▶ the offset follows it
 *   it has stepped further ─▶ the offset holds, and the time service is asked ─▶ confirmed: taken, for what is dated after
 *                                                                            └▶ not: asked again, held until it is
 *   the time service has lost its server ─▶ nothing: the clock stays good to seconds for days (hold-over)
 *
 * A date once given never changes. What was read before the first synchronisation is dated by the first offset. With trust
 * in the system's clock it is believed whatever it says.
 *
 * All this holds for a boot and not just for a process of it: the next one goes on where the one before ended (`resume`), so
 * that a reading which both of them send has one date.
 */

import { AsyncSignal } from '../async/async-signal.ts';
import { tell } from '../events/catalogue.ts';
import type { ClockStanding } from '../model/clock-state.ts';
import type { ClockTrust } from '../model/config.ts';
import type { Stamp } from '../model/reading.ts';
import type { Clock, KnownOffsets, OffsetMemory, TimeSync } from '../ports/clock.ts';
import type { Logger } from '../ports/log.ts';
import { BootOffsets } from './boot-offsets.ts';
import { GivenDates } from './unique-timestamps.ts';
import { WallOffset } from './wall-offset.ts';

export interface DatingPorts {
  readonly clock: Clock;
  readonly timeSync: TimeSync;
  readonly log: Logger;
  /** Absent: the next process of this boot begins anew. */
  readonly memory?: Pick<OffsetMemory, 'keep'> | undefined;
}

export interface DatingSettings {
  readonly trust: ClockTrust;
}

export class Dating {
  readonly #ports: DatingPorts;
  readonly #isTrusted: boolean;
  readonly #offset: WallOffset;
  readonly #given = new GivenDates();
  readonly #ofBoot: BootOffsets;
  #isDoubted = false;
  #lastBootMs = Number.NEGATIVE_INFINITY;
  /** Notified of a step that was not asked about. */
  readonly #steps = new AsyncSignal();

  constructor(ports: DatingPorts, { trust }: DatingSettings) {
    this.#ports = ports;
    this.#isTrusted = trust === 'system';
    this.#offset = new WallOffset(ports.clock);
    this.#ofBoot = new BootOffsets(ports.memory);
  }

  /** Dates the readings of this boot that have no date: `tsMs = round(bootMs + firstOffsetMs)`. Never changes once known. */
  get firstOffsetMs(): number | undefined {
    return this.#ofBoot.firstMs;
  }

  get standing(): ClockStanding {
    if (this.#isTrusted) return 'trusted';
    if (this.#offset.believedMs === undefined) return 'not synchronised';
    return this.#isDoubted ? 'doubted' : 'synchronised';
  }

  /** Goes on where an earlier process of this boot ended. Before the first stamp. */
  resume({ firstMs, believedMs }: KnownOffsets): void {
    this.#ofBoot.recall(firstMs);
    if (believedMs === undefined || this.#isTrusted) return;
    this.#take(believedMs);
    tell(this.#ports.log, 'FL-CLOCK-RESUMED');
  }

  /** Now. `bootMs` and `tsMs` are whole numbers, and no two stamps share either. */
  stamp(): Stamp {
    const { clock } = this.#ports;
    const { bootId } = clock;
    const bootMs = Math.max(Math.round(clock.bootMs()), this.#lastBootMs + 1);
    this.#lastBootMs = bootMs;
    if (this.#isTrusted) this.#believe();
    else if (this.#offset.hasNews()) this.#steps.notify();
    const { believedMs } = this.#offset;
    if (believedMs !== undefined)
      return { bootId, bootMs, tsMs: this.#given.take(Math.round(bootMs + believedMs)) };
    this.#given.addUndated(bootMs);
    return { bootId, bootMs };
  }

  /**
   * Asks until the clock is synchronised, tells `onAnchored` once, then looks for steps, until the signal aborts. Rejects
   * only when `onAnchored` does.
   */
  async watch(onAnchored: (offsetMs: number) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#isTrusted) {
      tell(this.#ports.log, 'FL-CLOCK-TRUSTED');
      this.#believe();
    } else if (this.#offset.believedMs === undefined) await this.#synchronise(signal);
    if (this.#offset.believedMs === undefined || this.firstOffsetMs === undefined) return;
    await onAnchored(this.firstOffsetMs);
    while (!signal.aborted) {
      await this.#nap(LOOK_EVERY_MS, signal);
      if (this.#isTrusted) this.#believe();
      else await this.#settle(signal);
    }
  }

  /** Asks until the time service has set the clock. */
  async #synchronise(signal: AbortSignal): Promise<void> {
    const { clock, timeSync, log } = this.#ports;
    const startedMs = clock.monotonicMs();
    let isTold = false;
    while (!signal.aborted) {
      const offsetMs = await this.#offset.ask(() => timeSync.isSynchronised(signal));
      if (signal.aborted) return;
      const elapsedMs = clock.monotonicMs() - startedMs;
      if (typeof offsetMs === 'number') {
        this.#take(offsetMs);
        tell(log, 'FL-CLOCK-SYNCHRONISED', { afterS: inSeconds(elapsedMs) });
        return;
      }
      if (!isTold && elapsedMs >= UNSYNCHRONISED_TOLD_AFTER_MS) {
        isTold = true;
        tell(log, 'FL-CLOCK-UNSYNCHRONISED');
      }
      await clock.sleep(offsetMs === 'moved' ? ASK_AGAIN_MS : askEveryMs(elapsedMs), signal);
    }
  }

  /** If the clock has stepped: asks until the step is confirmed, or the clock has come back from it. */
  async #settle(signal: AbortSignal): Promise<void> {
    const { clock, timeSync, log } = this.#ports;
    const startedMs = clock.monotonicMs();
    let isTold = false;
    for (;;) {
      const stepMs = this.#offset.follow();
      if (stepMs === undefined) break;
      const offsetMs = await this.#offset.ask(() => timeSync.confirmsStep(signal));
      if (signal.aborted) return;
      if (typeof offsetMs === 'number') {
        this.#take(offsetMs);
        tell(log, 'FL-CLOCK-STEPPED', { byS: inSeconds(stepMs) });
        return;
      }
      if (!isTold && offsetMs === undefined) {
        isTold = true;
        this.#isDoubted = true;
        tell(log, 'FL-CLOCK-DOUBTED', { byS: inSeconds(stepMs) });
      }
      const elapsedMs = clock.monotonicMs() - startedMs;
      await this.#nap(offsetMs === 'moved' ? ASK_AGAIN_MS : askEveryMs(elapsedMs), signal);
      if (signal.aborted) return;
    }
    const { believedMs } = this.#offset;
    if (believedMs !== undefined) this.#ofBoot.believe(believedMs, true);
    this.#isDoubted = false;
    if (isTold) tell(log, 'FL-CLOCK-BACK');
  }

  /** Sleeps, but not past a step that was not asked about. */
  async #nap(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#offset.hasNews()) return;
    await this.#steps.waitUpTo(ms, this.#ports.clock, signal);
  }

  /** Takes the wall clock as it is. */
  #believe(): void {
    const stepMs = this.#offset.follow();
    if (stepMs !== undefined) tell(this.#ports.log, 'FL-CLOCK-STEPPED', { byS: inSeconds(stepMs) });
    this.#take(this.#offset.apparentMs);
  }

  #take(offsetMs: number): void {
    const isFirst = this.#offset.believedMs === undefined;
    this.#isDoubted = false;
    this.#offset.take(offsetMs);
    this.#ofBoot.believe(offsetMs, !this.#isTrusted);
    if (isFirst && this.firstOffsetMs !== undefined) this.#given.anchor(this.firstOffsetMs);
  }
}

const LOOK_EVERY_MS = 60_000;
const ASK_AGAIN_MS = 2000;
const UNSYNCHRONISED_TOLD_AFTER_MS = 120_000;

/** Often at first, as a boot's first synchronisation takes seconds; each time may start two processes. */
function askEveryMs(elapsedMs: number): number {
  if (elapsedMs < 60_000) return ASK_AGAIN_MS;
  return elapsedMs < 660_000 ? 10_000 : LOOK_EVERY_MS;
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
