/**
 * A segment: one file of the spool, `00000001.log`, and which of its records are still to be delivered.
 *
 *   header record │ record │ record │ …                        │ NUL to the end
 *                          ▲ acked     ▲ read      good bytes ▲
 *
 * A segment is created whole, and records are written in place, which wears the flash less
 * (docs/decisions/0006).
 */

import type { LossReason } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import {
  decode,
  decodeHeader,
  type Header,
  isDictionary,
  NEWLINE,
  UNDATED_START,
  unframe,
  unseal,
} from './codec.ts';
import { Dictionary } from './dictionary.ts';

export const SEGMENT_BYTES = 65_536;

export interface Segment {
  readonly number: number;
  /** Its share of the spool's bound: the size of its file, rounded up to whole segments. */
  readonly bytes: number;
  /** End of the readable records; less than the file contains if an append failed or is in progress. */
  goodBytes: number;
  /** Records neither acknowledged nor reported as lost. Its lines, until it has been read. */
  remaining: number;
  /** Everything up to here is acknowledged or reported as lost. */
  ackedBytes: number;
  /** `Position.fullAt` at `ackedBytes`. */
  ackedFullAt: number;
  /** Start of the next record to take. */
  readBytes: number;
  /** `Position.fullAt` at `readBytes`. */
  readFullAt: number;
  /** Lost records up to here are in `unreported`. */
  reportedBytes: number;
  /** It may hold readings of this boot without a timestamp. */
  isUndated: boolean;
  /** Losses, reported when the file is removed: a restart before that would report them again. */
  readonly unreported: UnreportedLoss[];
  /** False until its records could be counted. */
  isCounted: boolean;
  /** Failed reads in succession. */
  failedReads: number;
  /** All of its records are done, but its file could not be removed. */
  isConsumed: boolean;
}

/** A position between two records. */
export interface Position {
  readonly bytes: number;
  /** Start of the full reading that is the dictionary of the records that follow; 0 if there is none. */
  readonly fullAt: number;
}

/** A reading that can never be delivered, or, without `reading`, a damaged record. */
export interface UnreportedLoss {
  readonly reason: LossReason;
  readonly reading?: Reading;
}

export function newSegment(number: number, fileBytes: number): Segment {
  return {
    number,
    bytes: Math.max(1, Math.ceil(fileBytes / SEGMENT_BYTES)) * SEGMENT_BYTES,
    goodBytes: 0,
    remaining: 0,
    ackedBytes: 0,
    ackedFullAt: 0,
    readBytes: 0,
    readFullAt: 0,
    reportedBytes: 0,
    isUndated: false,
    unreported: [],
    isCounted: true,
    failedReads: 0,
    isConsumed: false,
  };
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`;
}

/** The number in a segment's name; undefined for other files. */
export function segmentNumber(name: string): number | undefined {
  return /^\d{8,15}\.log$/.test(name) ? Number.parseInt(name, 10) : undefined;
}

export function readHeader(content: Buffer): Header | undefined {
  const frame = unframe(content, 0);
  return frame && decodeHeader(frame.json);
}

export type ScannedRecord =
  | { readonly kind: 'reading'; readonly reading: Reading; readonly end: Position }
  | { readonly kind: 'damage'; readonly end: Position };

/**
 * The records of a segment from a position. Damage extends to the next newline. A record whose dictionary is
 * damaged counts as damaged too, because it cannot be decoded.
 */
export function* scanRecords(content: Buffer, from: Position): Generator<ScannedRecord> {
  const header = unframe(content, 0);
  const bootId = (header && decodeHeader(header.json)?.bootId) ?? '';
  let { fullAt } = from;
  let dictionary = fullAt > 0 ? dictionaryAt(content, fullAt, bootId) : undefined;
  let at = Math.max(from.bytes, header?.endBytes ?? lineEnd(content, 0));
  while (at < content.length) {
    const line = unseal(content, at, dictionary);
    // NUL marks the unused rest only if no line follows: a damaged byte or a lost sector can be NUL, too.
    if (!line && content[at] === 0 && content.indexOf(NEWLINE, at) < 0) return;
    const reading = line && decode(line.text, bootId, dictionary);
    if (reading && isDictionary(reading)) {
      fullAt = at;
      dictionary = new Dictionary(reading, line.sum);
    }
    at = line?.endBytes ?? lineEnd(content, at);
    const end = { bytes: at, fullAt };
    yield reading ? { kind: 'reading', reading, end } : { kind: 'damage', end };
  }
}

function dictionaryAt(content: Buffer, at: number, bootId: string): Dictionary | undefined {
  const line = unseal(content, at);
  const reading = line && decode(line.text, bootId);
  return reading && isDictionary(reading) ? new Dictionary(reading, line.sum) : undefined;
}

/** The number of records, counted by their newlines: exact unless something is damaged. */
export function countRecords(content: Buffer): number {
  let lines = 0;
  let at = unframe(content, 0)?.endBytes ?? lineEnd(content, 0);
  for (let end = content.indexOf(NEWLINE, at); end >= 0; end = content.indexOf(NEWLINE, at)) {
    lines += 1;
    at = end + 1;
  }
  const isTorn = at < content.length && content[at] !== 0;
  return isTorn ? lines + 1 : lines;
}

/**
 * Whether it may hold readings without a timestamp. A text value cannot look like one, because it is escaped.
 */
export function mayHoldUndated(content: Buffer): boolean {
  return content.includes(UNDATED_START);
}

function lineEnd(content: Buffer, from: number): number {
  const newline = content.indexOf(NEWLINE, from);
  return newline < 0 ? content.length : newline + 1;
}
