/**
 * The outbox: fresh readings in memory, what has waited too long on the disk.
 *
 *   append ─▶ fresh (memory) ──────────────────────────────▶ delivered
 *                └── waited `spoolAfterMs` ─▶ spool (disk) ─▶ delivered, behind what is fresh
 *                                └── the disk refuses ─▶ overflow (memory), until it does not
 *
 * Promises: while the server takes the readings nothing is written to the disk; while it does not, what was read is on
 * the disk within `spoolAfterMs`, and then every `flushEveryMs`; on `close` everything undelivered is. Sampling never
 * waits for the disk. Bounds: those of the stores; in each the oldest go first and are told as a gap.
 */

import type { Losses } from '../core/losses.ts';
import type { Clock, Logger, Outbox } from '../core/ports.ts';
import type { Reading, Stamp } from '../core/reading.ts';
import { BacklogLane } from './backlog-lane.ts';
import { ChangesCounter } from './changes-counter.ts';
import { DiskNews } from './disk-news.ts';
import { RamStore } from './ram-store.ts';
import { OutboxError, type ReadingStore } from './reading-store.ts';

/** JSON text in memory, bytes: with what the engine adds about three times as much. */
const FRESH_BYTES_MAX = 1_000_000;
const OVERFLOW_BYTES_MAX = 3_000_000;
const READINGS_MAX = 20_000;

/** When a reading could not be moved because it was under way, ms. */
const AGAIN_MS = 1_000;

export interface OutboxPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly losses: Losses;
  /** An instant just now. */
  readonly stamp: () => Stamp;
  /** Absent: there is no disk to be had, and everything stays in memory. */
  readonly spool?: ReadingStore | undefined;
}

export interface OutboxSettings {
  /** How long a reading may wait in memory before the disk is asked, ms. */
  readonly spoolAfterMs: number;
  /** How often what was read goes to the disk while the server is away, ms. */
  readonly flushEveryMs: number;
  /** Bound of what waits in memory because the disk does not take it, bytes of JSON text. */
  readonly memoryBytesMax?: number;
}

export class JoinedOutbox implements Outbox {
  readonly losses: Losses;
  readonly fresh: RamStore;
  readonly backlog: BacklogLane;
  readonly #ports: OutboxPorts;
  readonly #settings: OutboxSettings;
  readonly #overflow: RamStore;
  readonly #changes = new ChangesCounter();
  readonly #news: DiskNews;
  #offered: Reading | undefined;
  #liveInFlight: Reading | undefined;
  #wantsFull = true;
  /** One move at a time, so that the order is kept. */
  #flushing: Promise<void> = Promise.resolve();

  constructor(ports: OutboxPorts, settings: OutboxSettings) {
    const { losses, spool, clock } = ports;
    this.#ports = ports;
    this.#settings = settings;
    this.losses = losses;
    this.#news = new DiskNews(ports.log);
    const { bootId } = clock;
    const store = (bytesMax: number) =>
      new RamStore({
        bootId,
        bytesMax: settings.memoryBytesMax ?? bytesMax,
        readingsMax: READINGS_MAX,
        losses,
      });
    this.fresh = store(FRESH_BYTES_MAX);
    this.#overflow = store(OVERFLOW_BYTES_MAX);
    const lanes = spool ? [spool, this.#overflow] : [this.#overflow];
    this.backlog = new BacklogLane(lanes, () => this.#drained());
  }

  get version(): number {
    return this.#changes.count;
  }

  /** Readings waiting, in memory and on the disk. */
  get size(): number {
    return this.fresh.size + this.backlog.size;
  }

  /** True at the start, and when a backlog has been delivered: its last values came after fresher ones. */
  get wantsFull(): boolean {
    return this.#wantsFull;
  }

  append(reading: Reading): void {
    if (reading.full) this.#wantsFull = false;
    this.fresh.add(reading);
    this.#changes.increment();
  }

  offerLive(): Reading | undefined {
    const newest = this.fresh.newest();
    if (!newest || newest.tsMs !== undefined || newest === this.#offered) return undefined;
    this.#offered = newest;
    this.#liveInFlight = newest;
    return newest;
  }

  settleLive(reading: Reading, delivered: boolean): void {
    if (delivered) this.fresh.deliveredLive(reading);
    if (this.#liveInFlight === reading) this.#liveInFlight = undefined;
  }

  tellLosses(): void {
    const gap = this.losses.tell(this.#ports.stamp);
    if (!gap) return;
    this.#ports.log.warn(
      'readings were lost; a gap record tells the server how many, from when to when, and why',
      gap.values,
    );
    this.append(gap);
  }

  async anchor(offsetMs: number): Promise<void> {
    await this.fresh.anchor(offsetMs);
    await this.#overflow.anchor(offsetMs);
    await this.#ports.spool?.anchor(offsetMs);
    this.#changes.increment();
  }

  waitForChange(since: number, signal: AbortSignal): Promise<void> {
    return this.#changes.waitBeyond(since, signal);
  }

  async keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const { version } = this;
      const dueInMs = this.#flushDueInMs();
      if (dueInMs === undefined) await this.waitForChange(version, signal);
      else if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      else {
        await this.flush();
        // What had to stay is still due, and must not keep the loop from others.
        if ((this.#flushDueInMs() ?? 1) <= 0) await clock.sleep(AGAIN_MS, signal);
      }
    }
  }

  /** Moves everything in memory to the disk, or, if that refuses, to the memory's backlog. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Brings everything undelivered to the disk; for the end, when nothing is under way any more. */
  async close(): Promise<void> {
    this.#liveInFlight = undefined;
    await this.flush();
  }

  /** Until when what waits in memory may stay there; undefined when nothing waits. */
  #flushDueInMs(): number | undefined {
    const oldestMs = this.fresh.oldestBootMs();
    if (oldestMs === undefined) return undefined;
    const { spoolAfterMs, flushEveryMs } = this.#settings;
    const afterMs = this.backlog.size > 0 ? flushEveryMs : spoolAfterMs;
    return oldestMs + afterMs - this.#ports.clock.bootMs();
  }

  async #flush(): Promise<void> {
    const { spool, stamp } = this.#ports;
    const gap = this.losses.tell(stamp);
    if (gap) this.fresh.add(gap);
    // What is under way without a date may be at the server already: it stays, and what is newer with it.
    const fresh = this.fresh.moveOut(this.#liveInFlight);
    if (fresh.length === 0 && this.#overflow.size === 0) return;
    if (!spool) return this.#overflow.append(fresh);
    const readings = [...this.#overflow.moveOut(), ...fresh];
    try {
      await spool.append(readings);
      this.#news.took(readings.length);
    } catch (error) {
      if (!(error instanceof OutboxError)) throw error;
      await this.#overflow.append(readings);
      this.#news.refused(error);
    } finally {
      this.#changes.increment();
    }
  }

  #drained(): void {
    this.#wantsFull = true;
    this.#news.drained();
  }
}
