/**
 * A segment: one file of the spool, `00000001.log`, and what of it is still to be delivered.
 *
 *   header record │ record │ record │ …                        │ NUL to the end
 *                          ▲ acked     ▲ read      good bytes ▲
 *
 * A segment is made whole, 64 KiB at once, and records are then written in place: an append that lets a file grow
 * costs 19 to 24 KiB of writes on the device, one into bytes that are there already 7 to 15 KiB (measured 2026-11-22,
 * ext4 with blocks of 4 KiB, one flush per append). A card dies of what is written to it.
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
  /** What it takes of the bound: its size as it was made, rounded up. */
  readonly bytes: number;
  /** Nothing is read beyond; less than the file has where an append failed or is under way. */
  goodBytes: number;
  /** Records not acknowledged and not told as lost; of an earlier process, lines counted until it has been read. */
  remaining: number;
  /** Everything up to here is acknowledged or told as lost. */
  ackedBytes: number;
  /** As in `Place`, for what comes behind `ackedBytes`. */
  ackedFullAt: number;
  /** The next record to be taken. */
  readBytes: number;
  /** As in `Place`, for what comes behind `readBytes`. */
  readFullAt: number;
  /** The records up to here that are lost have been told. */
  reportedBytes: number;
  /** It may hold readings of this boot without a date. */
  isUndated: boolean;
  /** What of it is lost, and told when its file goes: before that a restart would find it, and tell it, again. */
  readonly unreported: UnreportedLoss[];
  /** False while its records could not be counted. */
  isCounted: boolean;
  /** How often in a row it could not be read. */
  failedReads: number;
  /** It could not be removed: its records are done with, and it is only in the way. */
  isConsumed: boolean;
}

/** Between two records, and the record of the full reading whose keys those behind it may be written with. */
export interface Position {
  readonly bytes: number;
  /** 0 while there is none. */
  readonly fullAt: number;
}

/** A reading that can never be delivered; without it, a record that is damaged. */
export interface UnreportedLoss {
  readonly why: LossReason;
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

/** The number of the segment of this name; undefined for other files. */
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
 * The records of a segment from a place; what is damaged is one find up to the next newline. So is each record that
 * is written with the keys of a full one that is damaged: what it says is not known.
 */
export function* scanRecords(content: Buffer, from: Position): Generator<ScannedRecord> {
  const header = unframe(content, 0);
  const bootId = (header && decodeHeader(header.json)?.bootId) ?? '';
  let { fullAt } = from;
  let dictionary = fullAt > 0 ? dictionaryAt(content, fullAt, bootId) : undefined;
  let at = Math.max(from.bytes, header?.endBytes ?? lineEnd(content, 0));
  while (at < content.length) {
    const line = unseal(content, at, dictionary);
    // NUL is the unused rest, but only if no line comes behind it: a flipped byte or a lost sector is NUL too.
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

/** How many records there are, by their newlines alone: exact unless something is damaged. */
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

/** Whether readings without a date may be in it; a value's text can never look like one, because it is escaped. */
export function mayHoldUndated(content: Buffer): boolean {
  return content.includes(UNDATED_START);
}

function lineEnd(content: Buffer, from: number): number {
  const newline = content.indexOf(NEWLINE, from);
  return newline < 0 ? content.length : newline + 1;
}
