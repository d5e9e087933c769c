/**
 * Splits a batch into chunks of one write each: first for the open segment, then for new ones.
 *
 * If the batch starts with a full reading (gap records aside), so does each new segment, and so does the rest
 * after a reading that is too large for a segment. No record depends on another batch or segment. Holds one
 * chunk in memory. Pure.
 */

import type { Reading, Values } from '../../core/model/reading.ts';
import { carryForward, toFull } from '../store/carry-forward.ts';
import { encode } from './codec.ts';
import type { Dictionary } from './dictionary.ts';

export interface Chunk {
  /** It goes into a new segment, after the header. */
  readonly startsSegment: boolean;
  readonly bytes: Buffer;
  readonly records: number;
  readonly isUndated: boolean;
}

export interface ChunkOptions {
  readonly readings: readonly Reading[];
  readonly bootId: string;
  /** Free bytes in the open segment; 0 if there is none. */
  readonly roomBytes: number;
  /** Bytes for records in a new segment. */
  readonly segmentRoomBytes: number;
  /** Called for a reading that is too large for a segment. */
  readonly onTooLarge: (reading: Reading) => void;
}

export function* splitIntoChunks({
  readings,
  bootId,
  roomBytes,
  segmentRoomBytes,
  onTooLarge,
}: ChunkOptions): Generator<Chunk> {
  let chunk = new ChunkBuilder(false, roomBytes);
  let before: Values = {};
  let mustBeFull = false;
  let dictionary: Dictionary | undefined;
  for (const reading of readings) {
    const full = () => encode(toFull(before, reading), bootId);
    let record = mustBeFull ? full() : encode(reading, bootId, dictionary);
    if (!chunk.fits(record.bytes)) {
      record = full();
      if (record.bytes.length > segmentRoomBytes) {
        onTooLarge(reading);
        mustBeFull ||= !reading.gap;
        before = carryForward(before, reading);
        continue;
      }
      if (chunk.records > 0) yield chunk;
      chunk = new ChunkBuilder(true, segmentRoomBytes);
      mustBeFull = true;
    }
    chunk.add(record.bytes, reading);
    dictionary = record.dictionary;
    if (!reading.gap) mustBeFull = false;
    before = carryForward(before, reading);
  }
  if (chunk.records > 0) yield chunk;
}

class ChunkBuilder implements Chunk {
  readonly startsSegment: boolean;
  readonly #roomBytes: number;
  readonly #lines: Buffer[] = [];
  #bytes = 0;
  isUndated = false;

  constructor(startsSegment: boolean, roomBytes: number) {
    this.startsSegment = startsSegment;
    this.#roomBytes = roomBytes;
  }

  get records(): number {
    return this.#lines.length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#lines);
  }

  fits(line: Buffer): boolean {
    return this.#bytes + line.length <= this.#roomBytes;
  }

  add(line: Buffer, reading: Reading): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.isUndated ||= reading.tsMs === undefined;
  }
}
