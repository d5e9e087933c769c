/**
 * The reading half of the spool: a cursor over the segments, and what was taken and is not acknowledged.
 *
 * Nothing of it is stored: a restart begins again at the first record of the oldest segment, so it repeats no more
 * than one segment that was acknowledged in part. What is changed here is changed between two awaits, so that an
 * acknowledgement or a rewind may come at any time.
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
type StopReason = 'at the end' | 'enough' | 'no date yet';

export class SpoolReader {
  readonly #ports: ReaderPorts;
  #taken: TakenRecord[] = [];
  #epoch = 0;
  /**
   * All values after readings that can never be dated, until the next one that can be is made full with them. They
   * are the first of their process, so they begin with a full one.
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

  /** Undefined when everything taken was taken back while it waited for the disk. */
  async #tryTake(max: number): Promise<readonly Reading[] | undefined> {
    const epoch = this.#epoch;
    const readings: Reading[] = [];
    for (const segment of this.#ports.segmentList.segments) {
      if (readings.length >= max) break;
      if (segment.isConsumed || segment.readBytes >= segment.goodBytes) continue;
      const content = await this.#ports.segmentList.read(segment);
      if (epoch !== this.#epoch) return undefined;
      if (content && this.#readInto(readings, segment, content, max) === 'no date yet') break;
      // It may be readable again later, and what lies behind it is newer.
      if (!content && this.#ports.segmentList.segments.includes(segment) && !segment.isConsumed) break;
    }
    return readings;
  }

  #readInto(readings: Reading[], segment: Segment, content: Buffer, max: number): StopReason {
    if (segment.readBytes === 0) this.#lostValues = undefined;
    const from = { bytes: segment.readBytes, fullAt: segment.readFullAt };
    for (const record of scanRecords(content, from)) {
      // Asked of the next one, so that the end of a segment is seen with its last record.
      if (readings.length >= max) return 'enough';
      const reading =
        record.kind === 'reading' ? this.#ports.bootOffsets.withTimestamp(record.reading) : undefined;
      if (reading) {
        readings.push(this.#fullAfterLoss(reading));
        this.#taken.push({ segment, end: record.end });
      } else if (record.kind === 'reading' && this.#mayBeDatedLater(record.reading)) {
        return 'no date yet';
      } else {
        this.#markLost(segment, record);
      }
      segment.readBytes = record.end.bytes;
      segment.readFullAt = record.end.fullAt;
    }
    segment.readBytes = segment.goodBytes;
    this.#correctCount(segment);
    return 'at the end';
  }

  #mayBeDatedLater({ bootId }: Reading): boolean {
    return bootId === this.#ports.bootId || !this.#ports.bootOffsets.isComplete;
  }

  /** The reading, full if what it builds upon was lost. */
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
    segment.unreported.push(
      record.kind === 'damage' ? { why: 'damaged' } : { why: 'undatable', reading: record.reading },
    );
  }

  /** At the end of a segment it is known what is left of it: what was taken. Its lines may have promised more. */
  #correctCount(segment: Segment): void {
    const taken = this.#taken.filter((each) => each.segment === segment).length;
    for (let missing = segment.remaining - taken; missing > 0; missing -= 1)
      segment.unreported.push({ why: 'damaged' });
    segment.remaining = taken;
  }
}
