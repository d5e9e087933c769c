/**
 * The store on the disk: an append-only log in segments (segment.ts), with a bound of bytes.
 *
 *   append ─▶ SpoolWriter ─▶ 00000003.log (open)
 *                            00000002.log
 *   take ◀── SpoolReader ◀── 00000001.log ── all acknowledged ─▶ removed
 *
 * After `append` has resolved, readings survive a power cut and are delivered until they are acknowledged; a
 * restart may repeat some, with the same timestamp. Only `append` rejects. An empty spool has no files. A new
 * process never writes to an old segment. A damaged record is counted as lost and skipped; later readings of
 * its segment may lack values that only it reported.
 */

import { errorMessage } from '../../core/model/error-code.ts';
import type { LossReport } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ReadingStore } from '../store/reading-store.ts';
import { BootOffsetFile } from './boot-offset-file.ts';
import type { SpoolDirectory } from './directory.ts';
import { SpoolReader } from './reader.ts';
import { OnceLog, SegmentList } from './segment-list.ts';
import { SpoolWriter } from './writer.ts';

export interface SpoolOptions {
  readonly directory: SpoolDirectory;
  readonly bootId: string;
  /** Bound of all files together; at least two segments. */
  readonly bytesMax: number;
  /** Share of the file system that stays free, 0 to 0.9. */
  readonly freeShare: number;
  readonly losses: LossReport;
  readonly log: Logger;
}

interface Components {
  readonly bootId: string;
  readonly directory: SpoolDirectory;
  readonly segmentList: SegmentList;
  readonly bootOffsets: BootOffsetFile;
  readonly log: OnceLog;
  readonly reader: SpoolReader;
  readonly writer: SpoolWriter;
}

export class Spool implements ReadingStore, AsyncDisposable {
  readonly #components: Components;
  /** The previous operation. Operations run one after the other. */
  #previous: Promise<unknown> = Promise.resolve();
  /** Readings on the disk need the offset of this boot, which may be in memory only. */
  #isOffsetUnsaved = false;
  #isOffsetSet = false;

  /** Counts the readings that earlier processes left, without changing anything. Never rejects. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, bootId, bytesMax, freeShare, losses } = options;
    const log = new OnceLog(options.log);
    const bootOffsets = new BootOffsetFile(directory);
    const segmentList = new SegmentList({ directory, bootId, bootOffsets, losses, log });
    const reader = new SpoolReader({ segmentList, bootOffsets, bootId });
    const writer = new SpoolWriter({ segmentList, directory, losses, bootId }, { bytesMax, freeShare });
    await segmentList.load();
    return new Spool({ bootId, directory, segmentList, bootOffsets, log, reader, writer });
  }

  private constructor(components: Components) {
    this.#components = components;
    // The earlier process may have died before its file was durable, or after the sync failed.
    this.#isOffsetUnsaved = this.bootOffsetMs !== undefined && this.#needsOffset;
  }

  get size(): number {
    return this.#components.segmentList.remaining;
  }

  get bytes(): number {
    return this.#components.segmentList.bytes;
  }

  get epoch(): number {
    return this.#components.reader.epoch;
  }

  /** The offset of this boot; at first that of an earlier process; undefined if unknown. */
  get bootOffsetMs(): number | undefined {
    return this.#components.bootOffsets.get(this.#components.bootId);
  }

  /** Whether undated readings of this boot may be on the disk. */
  get #needsOffset(): boolean {
    return this.#components.segmentList.segments.some(({ isUndated, isCounted }) => isUndated || !isCounted);
  }

  append(readings: readonly Reading[]): Promise<void> {
    const { bootOffsets, writer } = this.#components;
    return this.#enqueue(async () => {
      await writer.append(readings.map((reading) => bootOffsets.withTimestamp(reading) ?? reading));
      if (this.#isOffsetUnsaved) await this.#saveBootOffset();
    });
  }

  take(max: number): Promise<readonly Reading[]> {
    return this.#enqueue(async () => {
      const { bootOffsets, reader } = this.#components;
      if (!bootOffsets.isComplete) await bootOffsets.retryRead();
      const readings = await reader.take(max);
      await this.#removeConsumed();
      return readings;
    });
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    // Not queued, so that a segment dropped meanwhile does not count delivered readings as lost.
    this.#components.reader.acknowledge(count, epoch);
    await this.#enqueue(() => this.#removeConsumed());
  }

  rewind(): void {
    this.#components.reader.rewind();
  }

  whenIdle(): Promise<void> {
    return this.#enqueue(async () => {});
  }

  /**
   * If undated readings are stored, the offset is stored before any of them is handed out. The offset of an
   * earlier process of this boot takes precedence, because readings may have been sent with it.
   */
  setBootOffset(offsetMs: number): Promise<void> {
    return this.#enqueue(async () => {
      const { bootOffsets, bootId } = this.#components;
      if (this.#isOffsetSet) return;
      this.#isOffsetSet = true;
      bootOffsets.set(bootId, offsetMs);
      if (this.#needsOffset) await this.#saveBootOffset();
    });
  }

  /** Retried after each append until it succeeds. */
  async #saveBootOffset(): Promise<void> {
    const { bootOffsets, log } = this.#components;
    this.#isOffsetUnsaved = true;
    try {
      await bootOffsets.save();
      this.#isOffsetUnsaved = false;
    } catch (error) {
      log.logEvent('FL-BOOT-OFFSET-WRITE-FAILED', { detail: errorMessage(error) });
    }
  }

  /** Closes the open segment after all earlier operations. Nothing is lost without it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#enqueue(() => this.#components.writer.close());
  }

  /** Removes delivered segments, and with the last one the offsets. */
  async #removeConsumed(): Promise<void> {
    const { segmentList, writer, bootOffsets, directory } = this.#components;
    for (const segment of segmentList.segments) {
      const isDelivered = segment.remaining === 0 && segment.readBytes >= segment.goodBytes;
      if (!isDelivered && !segment.isConsumed) break;
      if (segment === writer.segment) await writer.close();
      await segmentList.discard(segment);
    }
    if (segmentList.isEmpty) this.#isOffsetUnsaved = false;
    if (!segmentList.isEmpty || !bootOffsets.isSaved) return;
    // Only after the removals are durable: otherwise a power cut could bring back readings without offsets.
    await directory.sync().then(
      () => bootOffsets.clear(),
      () => {},
    );
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#previous.then(work);
    this.#previous = result.catch(() => {});
    return result;
  }
}
