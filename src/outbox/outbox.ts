/**
 * The outbox: fresh readings in memory, older ones on the disk.
 *
 *   append ─▶ fresh (memory) ───────────────────────────────▶ delivered
 *                └── after `spoolAfterMs` ─▶ spool (disk) ──▶ delivered, after the fresh ones
 *                                └── write fails ─▶ overflow (memory), until the disk can be written
 *
 * While the server accepts readings nothing is written to the disk. Otherwise readings are on the disk within
 * `spoolAfterMs`, then every `flushEveryMs`, and after `close`. Sampling never waits for the disk. A full
 * store drops its oldest readings: memory/memory-store.ts, spool/writer.ts.
 */

import { raceAbort } from '../core/async/abort.ts';
import { AsyncSignal } from '../core/async/async-signal.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { LossReason, LossReport } from '../core/model/loss-report.ts';
import type { Instant, Reading } from '../core/model/reading.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import { BacklogLane } from './backlog-lane.ts';
import { DiskStateLog } from './disk-state-log.ts';
import { Flusher } from './flush.ts';
import { MemoryStore } from './memory/memory-store.ts';
import type { ReadingStore } from './store/reading-store.ts';

/** Bytes of JSON text in memory; V8 needs about three times as much. */
const [FRESH_BYTES_MAX, OVERFLOW_BYTES_MAX] = [1_000_000, 3_000_000];
const READINGS_MAX = 20_000;

/** Delay before the next flush if a reading in flight could not be moved, ms. */
const RETRY_MS = 1_000;

export interface OutboxPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly losses: LossReport;
  /** The current instant. */
  readonly now: () => Instant;
  /** Absent: there is no disk, and all readings stay in memory. */
  readonly spool?: ReadingStore | undefined;
}

export interface OutboxSettings {
  /** How long a reading may stay in memory before it is written to the disk, ms. */
  readonly spoolAfterMs: number;
  /** How often newer readings are written while there is a backlog, ms. */
  readonly flushEveryMs: number;
  /** Bound of each store in memory, bytes of JSON text. Set by tests only. */
  readonly memoryBytesMax?: number;
}

export class TieredOutbox implements Outbox {
  readonly losses: LossReport;
  readonly fresh: MemoryStore;
  readonly backlog: BacklogLane;
  readonly #ports: OutboxPorts;
  readonly #settings: OutboxSettings;
  readonly #overflow: MemoryStore;
  readonly changes = new AsyncSignal();
  readonly #diskLog: DiskStateLog;
  readonly #flusher: Flusher;
  #lastUndated: Reading | undefined;
  #undatedInFlight: Reading | undefined;
  #needsSnapshot = true;
  /** When the removal of delivered files was last tried again, ms since the boot. */
  #removalTriedMs = 0;
  /** The latest flush. Flushes run one after the other, which keeps the order. */
  #flushing: Promise<void> = Promise.resolve();

  constructor(ports: OutboxPorts, settings: OutboxSettings) {
    const { losses, spool, clock } = ports;
    this.#ports = ports;
    this.#settings = settings;
    this.losses = losses;
    this.#diskLog = new DiskStateLog(ports.log);
    const { bootId } = clock;
    const bounds = { bootId, readingsMax: READINGS_MAX, losses };
    const bytesMax = settings.memoryBytesMax;
    this.fresh = new MemoryStore({ ...bounds, bytesMax: bytesMax ?? FRESH_BYTES_MAX });
    this.#overflow = new MemoryStore({ ...bounds, bytesMax: bytesMax ?? OVERFLOW_BYTES_MAX });
    this.#flusher = new Flusher(clock, this.#overflow, this.#diskLog);
    const lanes = spool ? [spool, this.#overflow] : [this.#overflow];
    this.backlog = new BacklogLane(lanes, (readings) => this.#onDrained(readings));
  }

  /** Undelivered readings, in memory and on the disk. */
  get size(): number {
    return this.fresh.size + this.#flusher.inTransit + this.backlog.size;
  }

  /** True at the start, and after a delivered backlog, because its values arrived after newer ones. */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  append(reading: Reading): void {
    if (reading.isSnapshot) this.#needsSnapshot = false;
    this.fresh.add(reading);
    this.changes.notify();
  }

  takeUndated(): Reading | undefined {
    const newest = this.fresh.newest();
    if (!newest || newest.tsMs !== undefined) return undefined;
    // An earlier one may have arrived before loops with other settings took over.
    const last = this.#lastUndated;
    if (last && (newest === last || newest.bootMs < last.bootMs)) return undefined;
    this.#lastUndated = newest;
    this.#undatedInFlight = newest;
    return newest;
  }

  completeUndated(reading: Reading, delivered: boolean): void {
    if (delivered) this.fresh.markDelivered(reading);
    if (this.#undatedInFlight === reading) this.#undatedInFlight = undefined;
  }

  discardReading(reading: Reading, reason: LossReason): void {
    this.losses.addReading(reading, reason);
    this.#needsSnapshot = true;
  }

  reportLosses(): void {
    const gap = this.losses.takeGapRecord(this.#ports.now);
    if (!gap) return;
    logEvent(this.#ports.log, 'FL-READINGS-LOST', gap.values);
    this.append(gap);
  }

  async setBootOffset(offsetMs: number): Promise<void> {
    await this.fresh.setBootOffset(offsetMs);
    await this.#overflow.setBootOffset(offsetMs);
    this.changes.notify();
    // Not awaited, because the disk may hang. The spool hands out no reading before it has stored the offset.
    void this.#ports.spool?.setBootOffset(offsetMs).then(() => this.changes.notify());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const { version } = this.changes;
      const [flushInMs, removalInMs] = [this.#flushDueInMs(), this.#removalDueInMs()];
      const dueInMs = Math.min(flushInMs, removalInMs);
      if (dueInMs === Number.POSITIVE_INFINITY) await this.changes.wait(signal, version);
      else if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      // A disk that hangs must not delay a stop.
      else if (flushInMs > 0) await raceAbort(this.#removeDelivered(), undefined, signal);
      else {
        await raceAbort(this.flush(), undefined, signal);
        // A reading that could not be moved is still due; the loop must not spin.
        if (this.#flushDueInMs() <= 0) await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** Moves all readings from memory to the disk, or to the overflow if the write fails. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Like `flush`, after all that the disk is doing already. Never settles while the disk hangs. */
  async flushWhenIdle(): Promise<void> {
    await this.#ports.spool?.whenIdle();
    await this.flush();
  }

  /** Writes all undelivered readings to the disk. Call it at the end, when nothing is in flight. */
  close(): Promise<void> {
    this.#undatedInFlight = undefined;
    // A pending take can find readings that can never get a timestamp; the last flush reports them as lost.
    return this.flushWhenIdle();
  }

  /** Removes and returns the readings that `close` could not write, the oldest first. */
  takeUnwritten(): readonly Reading[] {
    return this.#overflow.drain();
  }

  /** Adds unwritten readings of the previous outbox of this process. Call it before the first `append`. */
  async restore(unwritten: readonly Reading[]): Promise<void> {
    await this.#overflow.append(unwritten);
  }

  /** Time until the next flush, ms; Infinity if memory is empty. */
  #flushDueInMs(): number {
    const { spoolAfterMs, flushEveryMs } = this.#settings;
    const nowMs = this.#ports.clock.bootMs();
    const oldestMs = this.fresh.oldestBootMs();
    const afterMs = this.backlog.size > 0 ? flushEveryMs : spoolAfterMs;
    const freshDueMs = oldestMs === undefined ? Number.POSITIVE_INFINITY : oldestMs + afterMs;
    const isOverflowing = this.#ports.spool !== undefined && this.#overflow.size > 0;
    const retryDueMs = isOverflowing ? this.#flusher.failedAtMs + flushEveryMs : Number.POSITIVE_INFINITY;
    return Math.min(freshDueMs, retryDueMs) - nowMs;
  }

  /** Time until delivered files are removed that could not be before, ms; Infinity if there are none. */
  #removalDueInMs(): number {
    const { spool, clock } = this.#ports;
    if (!spool || spool.size > 0 || spool.bytes === 0) return Number.POSITIVE_INFINITY;
    return this.#removalTriedMs + this.#settings.flushEveryMs - clock.bootMs();
  }

  /** Otherwise the next process would send their readings again, and report losses in them again. */
  async #removeDelivered(): Promise<void> {
    this.#removalTriedMs = this.#ports.clock.bootMs();
    await this.#ports.spool?.take(0);
  }

  async #flush(): Promise<void> {
    // An undated reading in flight may have arrived already, so it and all newer ones stay in memory.
    const fresh = this.fresh.drain(this.#undatedInFlight);
    const { spool, now } = this.#ports;
    if (!spool) return this.#overflow.append(fresh);
    this.backlog.isPaused = true;
    try {
      const isWritten = await this.#flusher.flush(fresh, spool);
      // A gap record goes to the disk or the server, never to a full memory, where it would displace readings.
      const gap = isWritten ? this.losses.takeGapRecord(now) : undefined;
      if (gap) await this.#flusher.flush([gap], spool);
    } finally {
      this.backlog.isPaused = false;
      this.changes.notify();
    }
  }

  #onDrained(readings: number): void {
    this.#needsSnapshot = true;
    this.#diskLog.onDrained(readings);
  }
}
