/**
 * The reading half of the spool: a cursor over the segments, and what was taken and is not acknowledged.
 *
 * Nothing of it is stored: a restart begins again at the first record of the oldest segment, so it repeats no more
 * than one segment that was acknowledged in part. What is changed here is changed between two awaits, so that an
 * acknowledgement or a rewind may come at any time.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carry, expand } from '../store/carry-forward.ts';
import type { Anchors } from './boot-offset-file.ts';
import { type Found, type Place, recordsOf, type Segment } from './segment.ts';
import type { Shelf } from './segment-list.ts';

export interface ReaderPorts {
  readonly shelf: Shelf;
  readonly anchors: Anchors;
  readonly bootId: string;
}

interface Taken {
  readonly segment: Segment;
  readonly end: Place;
}

/** Why the cursor stopped in a segment. */
type Stop = 'at the end' | 'enough' | 'no date yet';

export class SpoolReader {
  readonly #ports: ReaderPorts;
  #taken: Taken[] = [];
  #epoch = 0;
  /**
   * All values after readings that can never be dated, until the next one that can be is made full with them. They
   * are the first of their process, so they begin with a full one.
   */
  #undatable: Values | undefined;

  constructor(ports: ReaderPorts) {
    this.#ports = ports;
    ports.shelf.onGone = (segment) => {
      if (this.#taken.some((taken) => taken.segment === segment)) this.rewind();
    };
  }

  get epoch(): number {
    return this.#epoch;
  }

  async take(max: number): Promise<readonly Reading[]> {
    for (;;) {
      const readings = await this.#takeUnlessTakenBack(max);
      if (readings) return readings;
    }
  }

  acknowledge(count: number, epoch: number): void {
    if (epoch !== this.#epoch) return;
    for (const { segment, end } of this.#taken.splice(0, Math.max(0, count))) {
      segment.ackedBytes = end.bytes;
      segment.ackedFullAt = end.fullAt;
      segment.left = Math.max(0, segment.left - 1);
    }
  }

  rewind(): void {
    if (this.#taken.length === 0) return;
    this.#taken = [];
    this.#epoch += 1;
    this.#undatable = undefined;
    for (const segment of this.#ports.shelf.segments) {
      segment.readBytes = segment.ackedBytes;
      segment.readFullAt = segment.ackedFullAt;
    }
  }

  /** Undefined when everything taken was taken back while it waited for the disk. */
  async #takeUnlessTakenBack(max: number): Promise<readonly Reading[] | undefined> {
    const epoch = this.#epoch;
    const readings: Reading[] = [];
    for (const segment of this.#ports.shelf.segments) {
      if (readings.length >= max) break;
      if (segment.isSpent || segment.readBytes >= segment.goodBytes) continue;
      const content = await this.#ports.shelf.read(segment);
      if (epoch !== this.#epoch) return undefined;
      if (content && this.#readInto(readings, segment, content, max) === 'no date yet') break;
      // It may be readable again later, and what lies behind it is newer.
      if (!content && this.#ports.shelf.segments.includes(segment) && !segment.isSpent) break;
    }
    return readings;
  }

  #readInto(readings: Reading[], segment: Segment, content: Buffer, max: number): Stop {
    if (segment.readBytes === 0) this.#undatable = undefined;
    const from = { bytes: segment.readBytes, fullAt: segment.readFullAt };
    for (const found of recordsOf(content, from)) {
      // Asked of the next one, so that the end of a segment is seen with its last record.
      if (readings.length >= max) return 'enough';
      const reading = found.at === 'reading' ? this.#ports.anchors.date(found.reading) : undefined;
      if (reading) {
        readings.push(this.#followable(reading));
        this.#taken.push({ segment, end: found.end });
      } else if (found.at === 'reading' && this.#mayGetDate(found.reading)) {
        return 'no date yet';
      } else {
        this.#lose(segment, found);
      }
      segment.readBytes = found.end.bytes;
      segment.readFullAt = found.end.fullAt;
    }
    segment.readBytes = segment.goodBytes;
    this.#settleCount(segment);
    return 'at the end';
  }

  #mayGetDate({ bootId }: Reading): boolean {
    return bootId === this.#ports.bootId || !this.#ports.anchors.isWhole;
  }

  /** The reading, full if what it builds upon was lost. */
  #followable(reading: Reading): Reading {
    if (this.#undatable === undefined || reading.gap) return reading;
    const full = expand(this.#undatable, reading);
    this.#undatable = undefined;
    return full;
  }

  #lose(segment: Segment, found: Found): void {
    if (found.at === 'reading') this.#undatable = carry(this.#undatable ?? {}, found.reading);
    if (found.end.bytes <= segment.toldBytes) return;
    segment.toldBytes = found.end.bytes;
    segment.left = Math.max(0, segment.left - 1);
    segment.untold.push(
      found.at === 'damage' ? { why: 'damaged' } : { why: 'undatable', reading: found.reading },
    );
  }

  /** At the end of a segment it is known what is left of it: what was taken. Its lines may have promised more. */
  #settleCount(segment: Segment): void {
    const taken = this.#taken.filter((each) => each.segment === segment).length;
    for (let missing = segment.left - taken; missing > 0; missing -= 1)
      segment.untold.push({ why: 'damaged' });
    segment.left = taken;
  }
}
