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
import type { Losses } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { ReadingStore } from '../store/reading-store.ts';
import { Anchors } from './boot-offset-file.ts';
import type { SpoolDirectory } from './directory.ts';
import { OnceLog } from './once-log.ts';
import { SpoolReader } from './reader.ts';
import { Shelf } from './segment-list.ts';
import { SpoolWriter } from './writer.ts';

export interface SpoolOptions {
  readonly directory: SpoolDirectory;
  readonly bootId: string;
  /** All files together; two segments at least. */
  readonly bytesMax: number;
  /** The share of the file system that stays free for others, 0 to 0.9. */
  readonly freeShare: number;
  readonly losses: Losses;
  readonly log: Logger;
}

interface Parts {
  readonly bootId: string;
  readonly directory: SpoolDirectory;
  readonly shelf: Shelf;
  readonly anchors: Anchors;
  readonly log: OnceLog;
  readonly reader: SpoolReader;
  readonly writer: SpoolWriter;
}

export class Spool implements ReadingStore, AsyncDisposable {
  readonly #parts: Parts;
  /** The operation before: each waits for it, so that none sees another half done. */
  #last: Promise<unknown> = Promise.resolve();
  /** The offset of this boot is in memory only, and something on the disk needs it. */
  #isAnchorOwed = false;

  /** Counts what earlier processes left, and changes nothing. Never rejects. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, bootId, bytesMax, freeShare, losses } = options;
    const log = new OnceLog(options.log);
    const anchors = new Anchors(directory);
    const shelf = new Shelf({ directory, bootId, anchors, losses, log });
    const reader = new SpoolReader({ shelf, anchors, bootId });
    const writer = new SpoolWriter({ shelf, directory, losses, bootId }, { bytesMax, freeShare });
    await shelf.load();
    return new Spool({ bootId, directory, shelf, anchors, log, reader, writer });
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#parts.shelf.left;
  }

  get bytes(): number {
    return this.#parts.shelf.bytes;
  }

  get epoch(): number {
    return this.#parts.reader.epoch;
  }

  /** What dates undated readings of this boot, if it is known: an earlier process's, until `anchor` was called. */
  get anchoredMs(): number | undefined {
    return this.#parts.anchors.of(this.#parts.bootId);
  }

  append(readings: readonly Reading[]): Promise<void> {
    const { anchors, writer } = this.#parts;
    return this.#inTurn(async () => {
      await writer.append(readings.map((reading) => anchors.date(reading) ?? reading));
      if (this.#isAnchorOwed) await this.#storeAnchor();
    });
  }

  take(max: number): Promise<readonly Reading[]> {
    return this.#inTurn(async () => {
      const { anchors, reader } = this.#parts;
      if (!anchors.isWhole) await anchors.readAgain();
      const readings = await reader.take(max);
      await this.#clean();
      return readings;
    });
  }

  async acknowledge(count: number, epoch: number): Promise<void> {
    // At once, so that a segment dropped meanwhile does not tell as lost what is at the server.
    this.#parts.reader.acknowledge(count, epoch);
    await this.#inTurn(() => this.#clean());
  }

  rewind(): void {
    this.#parts.reader.rewind();
  }

  idle(): Promise<void> {
    return this.#inTurn(async () => {});
  }

  /**
   * For readings that are stored without a date the offset is stored too, before any of them is let out. One that an
   * earlier process of this boot stored counts for this one as well, because readings may have gone out with it.
   */
  anchor(offsetMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const { anchors, bootId, shelf } = this.#parts;
      if (anchors.of(bootId) !== undefined) return;
      anchors.set(bootId, offsetMs);
      if (shelf.segments.some(({ isUndated }) => isUndated)) await this.#storeAnchor();
    });
  }

  /** Tried again after each append, until it is stored. */
  async #storeAnchor(): Promise<void> {
    const { anchors, log } = this.#parts;
    this.#isAnchorOwed = true;
    try {
      await anchors.store();
      this.#isAnchorOwed = false;
    } catch (error) {
      log.tell('FL-DATES-UNSTORED', { seen: errorMessage(error) });
    }
  }

  /** After what is under way: the open segment is closed. Nothing is lost by leaving it out. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#parts.writer.close());
  }

  /** Removes what is delivered; with the last reading everything goes. */
  async #clean(): Promise<void> {
    const { shelf, writer, anchors, directory } = this.#parts;
    for (const segment of shelf.segments) {
      const isDone = segment.left === 0 && segment.readBytes >= segment.goodBytes;
      if (!isDone && !segment.isSpent) break;
      if (segment === writer.segment) await writer.close();
      await shelf.discard(segment);
    }
    if (shelf.isEmpty) this.#isAnchorOwed = false;
    if (!shelf.isEmpty || !anchors.isStored) return;
    // Not before the readings are gone for good, or a power cut could bring them back without their dates.
    await directory.sync().then(
      () => anchors.forget(),
      () => {},
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
