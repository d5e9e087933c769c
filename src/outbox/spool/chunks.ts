/**
 * Cutting a batch into pieces: as much of it as one write takes, first into what is left of a segment, then into
 * segments of its own.
 *
 * Promises: the first reading of a new segment that is no gap record is full, provided the first of the batch is, and so
 * is the first after one that no segment could hold. No record needs one of another batch or segment. One piece at a time is in memory. Pure.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carry, expand } from '../store/carry-forward.ts';
import { encode } from './codec.ts';
import type { Dictionary } from './dictionary.ts';

export interface Piece {
  /** It opens a segment, behind whose header it goes. */
  readonly opens: boolean;
  readonly bytes: Buffer;
  readonly records: number;
  readonly isUndated: boolean;
}

export interface Cut {
  readonly readings: readonly Reading[];
  readonly bootId: string;
  /** Left in the segment that is open; 0 when none is. */
  readonly roomBytes: number;
  /** For records in a new segment. */
  readonly segmentRoomBytes: number;
  /** Told of a reading that no segment holds. */
  readonly tooLarge: (reading: Reading) => void;
}

export function* cutPieces({
  readings,
  bootId,
  roomBytes,
  segmentRoomBytes,
  tooLarge,
}: Cut): Generator<Piece> {
  let piece = new Collector(false, roomBytes);
  let before: Values = {};
  let mustBeFull = false;
  let dictionary: Dictionary | undefined;
  for (const reading of readings) {
    const full = () => encode(expand(before, reading), bootId);
    let record = mustBeFull ? full() : encode(reading, bootId, dictionary);
    if (!piece.holds(record.bytes)) {
      record = full();
      if (record.bytes.length > segmentRoomBytes) {
        tooLarge(reading);
        mustBeFull ||= !reading.gap;
        before = carry(before, reading);
        continue;
      }
      if (piece.records > 0) yield piece;
      piece = new Collector(true, segmentRoomBytes);
      mustBeFull = true;
    }
    piece.add(record.bytes, reading);
    dictionary = record.dictionary;
    if (!reading.gap) mustBeFull = false;
    before = carry(before, reading);
  }
  if (piece.records > 0) yield piece;
}

class Collector implements Piece {
  readonly opens: boolean;
  readonly #roomBytes: number;
  readonly #lines: Buffer[] = [];
  #bytes = 0;
  isUndated = false;

  constructor(opens: boolean, roomBytes: number) {
    this.opens = opens;
    this.#roomBytes = roomBytes;
  }

  get records(): number {
    return this.#lines.length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#lines);
  }

  holds(line: Buffer): boolean {
    return this.#bytes + line.length <= this.#roomBytes;
  }

  add(line: Buffer, reading: Reading): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.isUndated ||= reading.tsMs === undefined;
  }
}
