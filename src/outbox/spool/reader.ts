/**
 * Reads the spool: a cursor over the segments, and the records that are taken but not acknowledged.
 *
 * The cursor is not stored: a restart begins at the first record of the oldest segment, so it repeats at most
 * one segment. State changes only between two awaits, so `acknowledge` and `rewind` are always safe.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carryForward, toFull } from '../store/carry-forward.ts';
import type { BootOffsetFile } from './boot-offset-file.ts';
import { type Position, type ScannedRecord, type Segment, scanRecords } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface ReaderPorts {
  readonly segmentList: SegmentList;
  readonly bootOffsets: BootOffsetFile;
  readonly bootId: string;
}

interface TakenRecord {
  readonly segment: Segment;
  readonly end: Position;
}

/** Why the cursor stopped in a segment. */
type StopReason = 'end' | 'enough' | 'no timestamp yet';

export class SpoolReader {
  readonly #ports: ReaderPorts;
  #taken: TakenRecord[] = [];
  #epoch = 0;
  /**
   * All values after readings that can never get a timestamp; the next reading that has one is made full with
   * them. Such readings are the first of their process, so they begin with a full one.
   */
  #lostValues: Values | undefined;

  constructor(ports: ReaderPorts) {
    this.#ports = ports;
    ports.segmentList.onRemoved = (segment) => {
      if (this.#taken.some((taken) => taken.segment === segment)) this.rewind();
    };
  }

  get epoch(): number {
    return this.#epoch;
  }

  async take(max: number): Promise<readonly Reading[]> {
    for (;;) {
      const readings = await this.#tryTake(max);
      if (readings) return readings;
    }
  }

  acknowledge(count: number, epoch: number): void {
    if (epoch !== this.#epoch) return;
    for (const { segment, end } of this.#taken.splice(0, Math.max(0, count))) {
      segment.ackedBytes = end.bytes;
      segment.ackedFullAt = end.fullAt;
      segment.remaining = Math.max(0, segment.remaining - 1);
    }
  }

  rewind(): void {
    if (this.#taken.length === 0) return;
    this.#taken = [];
    this.#epoch += 1;
    this.#lostValues = undefined;
    for (const segment of this.#ports.segmentList.segments) {
      segment.readBytes = segment.ackedBytes;
      segment.readFullAt = segment.ackedFullAt;
    }
  }

  /** Undefined if there was a rewind while it waited for the disk. */
  async #tryTake(max: number): Promise<readonly Reading[] | undefined> {
    const epoch = this.#epoch;
    const readings: Reading[] = [];
    for (const segment of this.#ports.segmentList.segments) {
      if (readings.length >= max) break;
      if (segment.isConsumed || segment.readBytes >= segment.goodBytes) continue;
      const content = await this.#ports.segmentList.read(segment);
      if (epoch !== this.#epoch) return undefined;
      if (content && this.#readInto(readings, segment, content, max) === 'no timestamp yet') break;
      // The segment may become readable later, and the next one is newer.
      if (!content && this.#ports.segmentList.segments.includes(segment) && !segment.isConsumed) break;
    }
    return readings;
  }

  #readInto(readings: Reading[], segment: Segment, content: Buffer, max: number): StopReason {
    if (segment.readBytes === 0) this.#lostValues = undefined;
    const from = { bytes: segment.readBytes, fullAt: segment.readFullAt };
    for (const record of scanRecords(content, from)) {
      // Checked at the next record, so that the end of a segment is noticed with its last record.
      if (readings.length >= max) return 'enough';
      const reading =
        record.kind === 'reading' ? this.#ports.bootOffsets.withTimestamp(record.reading) : undefined;
      if (reading) {
        readings.push(this.#fullAfterLoss(reading));
        this.#taken.push({ segment, end: record.end });
      } else if (record.kind === 'reading' && this.#mayBeDatedLater(record.reading)) {
        return 'no timestamp yet';
      } else {
        this.#markLost(segment, record);
      }
      segment.readBytes = record.end.bytes;
      segment.readFullAt = record.end.fullAt;
    }
    segment.readBytes = segment.goodBytes;
    this.#correctCount(segment);
    return 'end';
  }

  #mayBeDatedLater({ bootId }: Reading): boolean {
    return bootId === this.#ports.bootId || !this.#ports.bootOffsets.isComplete;
  }

  /** The reading, made full if readings before it were lost. */
  #fullAfterLoss(reading: Reading): Reading {
    if (this.#lostValues === undefined || reading.gap) return reading;
    const full = toFull(this.#lostValues, reading);
    this.#lostValues = undefined;
    return full;
  }

  #markLost(segment: Segment, record: ScannedRecord): void {
    if (record.kind === 'reading') this.#lostValues = carryForward(this.#lostValues ?? {}, record.reading);
    if (record.end.bytes <= segment.reportedBytes) return;
    segment.reportedBytes = record.end.bytes;
    segment.remaining = Math.max(0, segment.remaining - 1);
    if (record.kind === 'damage') segment.unreported.push({ reason: 'damaged' });
    else {
      const { reading } = record;
      // Without a boot id the header is damaged, and the offset of its boot may be known.
      segment.unreported.push({ reason: reading.bootId === '' ? 'damaged' : 'undatable', reading });
    }
  }

  /**
   * At the end of a segment only its taken records remain. If more lines were counted, those are damaged.
   */
  #correctCount(segment: Segment): void {
    const taken = this.#taken.filter((each) => each.segment === segment).length;
    for (let missing = segment.remaining - taken; missing > 0; missing -= 1)
      segment.unreported.push({ reason: 'damaged' });
    segment.remaining = taken;
  }
}
