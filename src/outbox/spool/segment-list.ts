/**
 * The shelf: the spool's segments, oldest first, and what happens to one as a whole: counted, read, dropped, removed.
 *
 * Promises: at most one segment's bytes are in memory, and they are good until the next read. A segment that cannot be
 * read for a long time is lost and told; one that cannot be removed is never read again. A segment of a newer version
 * is neither read nor removed and is not on the shelf. No removal is synced: one that a power cut undoes only
 * repeats readings with the date they had, which are the same points at the server.
 */

import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { LossReason, LossReport } from '../../core/model/loss-report.ts';
import type { BootOffsetFile } from './boot-offset-file.ts';
import { FORMAT_VERSION } from './codec.ts';
import type { SpoolDirectory, SpoolEntry } from './directory.ts';
import { reportDropped, reportLosses } from './dropped-segment.ts';
import type { OnceLog } from './once-log.ts';
import {
  countRecords,
  mayHoldUndated,
  newSegment,
  readHeader,
  SEGMENT_BYTES,
  type Segment,
  segmentName,
  segmentNumber,
} from './segment.ts';
import { READ_TRIES_MAX, readSegment } from './segment-file.ts';

export interface SegmentListPorts {
  readonly directory: SpoolDirectory;
  readonly bootId: string;
  readonly bootOffsets: BootOffsetFile;
  readonly losses: LossReport;
  readonly log: OnceLog;
}

export class SegmentList {
  readonly #ports: SegmentListPorts;
  #segments: Segment[] = [];
  #nextNumber = 1;
  #hasNewerFormat = false;
  /** Told of every segment whose readings are gone, whatever was taken of them. */
  onRemoved: (segment: Segment) => void = () => {};

  constructor(ports: SegmentListPorts) {
    this.#ports = ports;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get remaining(): number {
    return this.#segments.reduce((sum, { remaining }) => sum + remaining, 0);
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** There is nothing in the directory whose readings may still need a date. */
  get isEmpty(): boolean {
    return this.#segments.length === 0 && !this.#hasNewerFormat;
  }

  /** Finds and counts what earlier processes left; changes nothing on the disk. Never rejects. */
  async load(): Promise<void> {
    const entries = await this.#list();
    const numbered = entries.map((entry) => ({ ...entry, number: segmentNumber(entry.name) ?? 0 }));
    for (const { number, bytes } of numbered.sort((a, b) => a.number - b.number)) {
      if (number === 0 || this.#segments.some((segment) => segment.number === number)) continue;
      this.#nextNumber = Math.max(this.#nextNumber, number + 1);
      await this.#countRecords(this.add(number, bytes), bytes);
    }
    this.#segments.sort((a, b) => a.number - b.number);
  }

  /** A number that no segment has had. */
  allocateNumber(): number {
    this.#nextNumber += 1;
    return this.#nextNumber - 1;
  }

  /** A new segment, whose file is just made, behind all others. */
  add(number: number, fileBytes = SEGMENT_BYTES): Segment {
    const segment = newSegment(number, fileBytes);
    this.#segments.push(segment);
    return segment;
  }

  /** What is in it, up to its last good byte; undefined when it is no longer on the shelf. */
  async read(segment: Segment): Promise<Buffer | undefined> {
    const content = await readSegment(this.#ports, segment);
    if (content) {
      if (this.#isNewerFormat(segment, content)) return undefined;
      if (!segment.isCounted) this.#setCount(segment, content);
      return content;
    }
    if (segment.failedReads < READ_TRIES_MAX) return undefined;
    this.#ports.losses.add({ readings: Math.max(1, segment.remaining), reason: 'damaged' });
    await this.discard(segment);
    return undefined;
  }

  /** Tells what is lost with the oldest, and removes it. Rejects with the system's error; then its file is still there. */
  async drop(why: LossReason): Promise<void> {
    const [segment] = this.#segments;
    if (!segment) return;
    const content = segment.isConsumed ? undefined : await readSegment(this.#ports, segment);
    // Counted before its file goes, and once: whatever happens to this process, or to the removal, from here on.
    reportLosses(this.#ports.losses, segment);
    reportDropped(this.#ports, segment, content, why);
    segment.remaining = 0;
    segment.isConsumed = true;
    this.onRemoved(segment);
    await this.#remove(segment);
  }

  /** Its records are done with: its file goes too, or is never read again. Never rejects. */
  async discard(segment: Segment): Promise<void> {
    if (!this.#segments.includes(segment)) return;
    reportLosses(this.#ports.losses, segment);
    segment.remaining = 0;
    segment.isConsumed = true;
    this.onRemoved(segment);
    try {
      await this.#remove(segment);
    } catch (error) {
      this.#ports.log.logEvent('FL-SPOOL-DELETE-FAILED', {
        file: segmentName(segment.number),
        detail: errorMessage(error),
      });
    }
  }

  /** The file goes, or is gone already by another hand, and the segment with it. */
  async #remove(segment: Segment): Promise<void> {
    await this.#ports.directory.remove(segmentName(segment.number)).catch((error) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
    this.#unlist(segment);
  }

  #unlist(segment: Segment): void {
    this.#segments = this.#segments.filter((each) => each !== segment);
  }

  async #list(): Promise<readonly SpoolEntry[]> {
    const { directory, bootOffsets, log } = this.#ports;
    try {
      const entries = await directory.list();
      await bootOffsets.load(entries.map(({ name }) => name)).catch((error) =>
        log.logEvent('FL-BOOT-OFFSET-READ-FAILED', {
          detail: errorMessage(error),
        }),
      );
      return entries;
    } catch (error) {
      log.logEvent('FL-SPOOL-LIST-FAILED', { detail: errorMessage(error) });
      return [];
    }
  }

  async #countRecords(segment: Segment, fileBytes: number): Promise<void> {
    segment.goodBytes = Math.min(fileBytes, SEGMENT_BYTES);
    const content = await readSegment(this.#ports, segment);
    // One, so that it is asked for and found out.
    segment.remaining = 1;
    segment.isCounted = false;
    if (content && !this.#isNewerFormat(segment, content)) this.#setCount(segment, content);
  }

  #setCount(segment: Segment, content: Buffer): void {
    segment.remaining = countRecords(content);
    segment.isCounted = true;
    segment.isUndated = readHeader(content)?.bootId === this.#ports.bootId && mayHoldUndated(content);
  }

  #isNewerFormat(segment: Segment, content: Buffer): boolean {
    const version = readHeader(content)?.version ?? 0;
    if (version <= FORMAT_VERSION) return false;
    this.#hasNewerFormat = true;
    this.#unlist(segment);
    this.#ports.log.logEvent('FL-SPOOL-NEWER', { file: segmentName(segment.number), version });
    return true;
  }
}
