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

/** JSON text in memory, bytes: with what the engine adds about three times as much. */
const [FRESH_BYTES_MAX, OVERFLOW_BYTES_MAX] = [1_000_000, 3_000_000];
const READINGS_MAX = 20_000;

/** When a reading could not be moved because it was under way, ms. */
const RETRY_MS = 1_000;

export interface OutboxPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly losses: LossReport;
  /** An instant just now. */
  readonly now: () => Instant;
  /** Absent: there is no disk to be had, and everything stays in memory. */
  readonly spool?: ReadingStore | undefined;
}

export interface OutboxSettings {
  /** How long a reading may wait in memory before the disk is asked; then how often what came since goes there, ms. */
  readonly spoolAfterMs: number;
  readonly flushEveryMs: number;
  /** Bound of each part in memory, bytes of JSON text; for tests. */
  readonly memoryBytesMax?: number;
}

export class TieredOutbox implements Outbox {
  readonly losses: LossReport;
  readonly fresh: MemoryStore;
  readonly backlog: BacklogLane;
  readonly #ports: OutboxPorts;
  readonly #settings: OutboxSettings;
  readonly #overflow: MemoryStore;
  readonly #changed = new AsyncSignal();
  readonly #diskLog: DiskStateLog;
  readonly #flusher: Flusher;
  #lastUndated: Reading | undefined;
  #undatedInFlight: Reading | undefined;
  #needsSnapshot = true;
  /** One move at a time, so that the order is kept. */
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

  get version(): number {
    return this.#changed.version;
  }

  /** Readings waiting, in memory and on the disk. */
  get size(): number {
    return this.fresh.size + this.#flusher.inTransit + this.backlog.size;
  }

  /** True at the start, and when a backlog has been delivered: its last values came after fresher ones. */
  get needsSnapshot(): boolean {
    return this.#needsSnapshot;
  }

  append(reading: Reading): void {
    if (reading.isSnapshot) this.#needsSnapshot = false;
    this.fresh.add(reading);
    this.#changed.notify();
  }

  takeUndated(): Reading | undefined {
    const newest = this.fresh.newest();
    if (!newest || newest.tsMs !== undefined || newest === this.#lastUndated) return undefined;
    this.#lastUndated = newest;
    this.#undatedInFlight = newest;
    return newest;
  }

  completeUndated(reading: Reading, delivered: boolean): void {
    if (delivered) this.fresh.markDelivered(reading);
    if (this.#undatedInFlight === reading) this.#undatedInFlight = undefined;
  }

  discardReading(reading: Reading, why: LossReason): void {
    this.losses.addReading(reading, why);
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
    this.#changed.notify();
    // The disk may hang, and nobody waits for it: it lets its readings out when it has stored the offset.
    void this.#ports.spool?.setBootOffset(offsetMs).then(() => this.#changed.notify());
  }

  waitForChange(since: number, signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal, since);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const { version } = this;
      const dueInMs = this.#flushDueInMs();
      if (dueInMs === undefined) await this.waitForChange(version, signal);
      else if (dueInMs > 0) await clock.sleep(dueInMs, signal);
      else {
        // A disk that hangs must not hold up who is told to stop.
        await raceAbort(this.flush(), undefined, signal);
        // What had to stay is still due, and must not keep the loop from others.
        if ((this.#flushDueInMs() ?? 1) <= 0) await clock.sleep(RETRY_MS, signal);
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
    this.#undatedInFlight = undefined;
    // A take that was under way may find readings that can never be dated: told with the last flush or never.
    await this.#ports.spool?.whenIdle();
    await this.flush();
  }

  /** Until when what waits in memory may stay there; undefined when nothing waits. */
  #flushDueInMs(): number | undefined {
    const { spoolAfterMs, flushEveryMs } = this.#settings;
    const nowMs = this.#ports.clock.bootMs();
    const oldestMs = this.fresh.oldestBootMs();
    const afterMs = this.backlog.size > 0 ? flushEveryMs : spoolAfterMs;
    const freshDueMs = oldestMs === undefined ? Number.POSITIVE_INFINITY : oldestMs + afterMs;
    const isOverflowing = this.#ports.spool !== undefined && this.#overflow.size > 0;
    const retryDueMs = isOverflowing ? this.#flusher.failedAtMs + flushEveryMs : Number.POSITIVE_INFINITY;
    const dueMs = Math.min(freshDueMs, retryDueMs);
    return dueMs < Number.POSITIVE_INFINITY ? dueMs - nowMs : undefined;
  }

  async #flush(): Promise<void> {
    // What is under way without a date may be at the server already: it stays, and what is newer with it.
    const fresh = this.fresh.drain(this.#undatedInFlight);
    const { spool, now } = this.#ports;
    if (!spool) return this.#overflow.append(fresh);
    const isWritten = await this.#flusher.flush([...this.#overflow.drain(), ...fresh], spool);
    // To the disk or to the server, never to a full memory: there each gap record would push out readings of its own.
    const gap = isWritten ? this.losses.takeGapRecord(now) : undefined;
    if (gap) await this.#flusher.flush([gap], spool);
    this.#changed.notify();
  }

  #onDrained(readings: number): void {
    this.#needsSnapshot = true;
    this.#diskLog.onDrained(readings);
  }
}
