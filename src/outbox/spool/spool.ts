/**
 * The store on the disk: an append-only log in segments (segment.ts) below a bound of bytes.
 *
 *   append ─▶ spool-writer ─▶ 00000003.log (open)
 *                             00000002.log
 *   take ◀── spool-reader ◀── 00000001.log ── all of it acknowledged ─▶ removed
 *
 * Promises: what `append` resolved for survives a power cut, and comes until it is acknowledged; after a restart
 * some of what was acknowledged may come again, never with another date. Only `append` ever rejects. Nothing is on
 * the disk while nothing waits. An old segment is never written to by a new process. A record that is damaged is
 * told and skipped; what was read after it in its segment may lack the values that only it reported.
 */

import { errorMessage } from '../../core/model/error-code.ts';
import type { LossReport } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ReadingStore } from '../store/reading-store.ts';
import { BootOffsetFile } from './boot-offset-file.ts';
import type { SpoolDirectory } from './directory.ts';
import { OnceLog } from './once-log.ts';
import { SpoolReader } from './reader.ts';
import { SegmentList } from './segment-list.ts';
import { SpoolWriter } from './writer.ts';

export interface SpoolOptions {
  readonly directory: SpoolDirectory;
  readonly bootId: string;
  /** All files together; two segments at least. */
  readonly bytesMax: number;
  /** The share of the file system that stays free for others, 0 to 0.9. */
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
  /** The operation before: each waits for it, so that none sees another half done. */
  #previous: Promise<unknown> = Promise.resolve();
  /** The offset of this boot is in memory only, and something on the disk needs it. */
  #isOffsetUnsaved = false;

  /** Counts what earlier processes left, and changes nothing. Never rejects. */
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

  /** What dates undated readings of this boot, if it is known: an earlier process's, until `anchor` was called. */
  get bootOffsetMs(): number | undefined {
    return this.#components.bootOffsets.get(this.#components.bootId);
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
    // At once, so that a segment dropped meanwhile does not tell as lost what is at the server.
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
   * For readings that are stored without a date the offset is stored too, before any of them is let out. One that an
   * earlier process of this boot stored counts for this one as well, because readings may have gone out with it.
   */
  setBootOffset(offsetMs: number): Promise<void> {
    return this.#enqueue(async () => {
      const { bootOffsets, bootId, segmentList } = this.#components;
      if (bootOffsets.get(bootId) !== undefined) return;
      bootOffsets.set(bootId, offsetMs);
      if (segmentList.segments.some(({ isUndated }) => isUndated)) await this.#saveBootOffset();
    });
  }

  /** Tried again after each append, until it is stored. */
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

  /** After what is under way: the open segment is closed. Nothing is lost by leaving it out. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#enqueue(() => this.#components.writer.close());
  }

  /** Removes what is delivered; with the last reading everything goes. */
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
    // Not before the readings are gone for good, or a power cut could bring them back without their dates.
    await directory.sync().then(
      () => bootOffsets.clear(),
      () => {},
    );
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#previous.then(work);
    this.#previous = turn.catch(() => {});
    return turn;
  }
}
