/**
 * Writes the spool: batches go into one open segment, with one write and one flush each, then into the next.
 *
 * This process reads a batch either whole or not at all. The remains of a failed one lie beyond `goodBytes`;
 * a restart may read them and send the same points twice. A segment whose write or flush failed is not
 * written again, because its content on the disk is unknown. make-room.ts keeps the spool below its bound.
 */

import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { LossReport } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import { OutboxError } from '../store/reading-store.ts';
import { type Chunk, splitIntoChunks } from './chunks.ts';
import { encodeHeader } from './codec.ts';
import type { SpoolDirectory, SpoolFile } from './directory.ts';
import { makeRoom, type SpoolBounds } from './make-room.ts';
import { SEGMENT_BYTES, type Segment, segmentName } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface WriterPorts {
  readonly segmentList: SegmentList;
  readonly directory: SpoolDirectory;
  readonly losses: LossReport;
  readonly bootId: string;
}

interface OpenSegment {
  readonly segment: Segment;
  readonly file: SpoolFile;
}

/** A chunk that is on the disk while the rest of its batch is not. */
interface WrittenChunk {
  readonly segment: Segment;
  readonly goodBytesBefore: number;
  readonly records: number;
  /** It began a segment in place of a dropped one. */
  readonly replaces: boolean;
}

export class SpoolWriter {
  readonly #ports: WriterPorts;
  readonly #bounds: SpoolBounds;
  readonly #header: Buffer;
  #open: OpenSegment | undefined;
  /** Segments that were dropped for a nearly full file system, and none was written in their place yet. */
  #freed = 0;

  constructor(ports: WriterPorts, bounds: SpoolBounds) {
    this.#ports = ports;
    // With a single segment each new one would cost all stored readings.
    this.#bounds = { ...bounds, bytesMax: Math.max(bounds.bytesMax, 2 * SEGMENT_BYTES) };
    this.#header = encodeHeader(ports.bootId);
  }

  get segment(): Segment | undefined {
    return this.#open?.segment;
  }

  /** Resolves when the readings survive a power cut. Rejects with an OutboxError. */
  async append(readings: readonly Reading[]): Promise<void> {
    // An unreadable file may have been removed while it was open.
    if (this.#open && !this.#ports.segmentList.segments.includes(this.#open.segment)) await this.close();
    if (this.#open?.segment.isConsumed) await this.close();
    const tooLarge: Reading[] = [];
    const written: WrittenChunk[] = [];
    const chunks = splitIntoChunks({
      readings,
      bootId: this.#ports.bootId,
      roomBytes: this.#open ? SEGMENT_BYTES - this.#open.segment.goodBytes : 0,
      segmentRoomBytes: SEGMENT_BYTES - this.#header.length,
      onTooLarge: (reading) => tooLarge.push(reading),
    });
    try {
      for (const chunk of chunks) {
        const open = chunk.startsSegment || !this.#open ? await this.#openNext() : this.#open;
        written.push(await this.#write(open, chunk));
      }
    } catch (error) {
      await this.#rollBack(written);
      throw toOutboxError(error);
    }
    for (const reading of tooLarge) this.#ports.losses.addReading(reading, 'malformed');
  }

  /** Closes the open segment; the next append starts another. Never rejects: its content is synced. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close().catch(() => {});
  }

  async #openNext(): Promise<OpenSegment> {
    await this.close();
    if (await makeRoom(this.#ports, this.#bounds, this.#freed > 0)) this.#freed += 1;
    this.#open = await this.#create().catch(async (error: unknown) => {
      // The directory could not be listed at the start, so its segments are found now.
      if (errorCode(error) !== 'EEXIST') throw error;
      await this.#ports.segmentList.load();
      return this.#create();
    });
    return this.#open;
  }

  async #create(): Promise<OpenSegment> {
    const number = this.#ports.segmentList.allocateNumber();
    const file = await this.#ports.directory.create(segmentName(number));
    return { segment: this.#ports.segmentList.add(number), file };
  }

  /** The first chunk of a segment writes all of its file: header, records and unused rest. */
  async #write({ segment, file }: OpenSegment, { bytes, records, isUndated }: Chunk): Promise<WrittenChunk> {
    const goodBytesBefore = segment.goodBytes;
    const isNew = goodBytesBefore === 0;
    const startBytes = isNew ? this.#header.length : goodBytesBefore;
    if (isNew) {
      const content = Buffer.alloc(SEGMENT_BYTES);
      this.#header.copy(content);
      bytes.copy(content, startBytes);
      await file.write(content, 0);
    } else {
      await file.write(bytes, startBytes);
    }
    await file.sync();
    if (isNew) await this.#ports.directory.sync();
    const replaces = isNew && this.#freed > 0;
    if (replaces) this.#freed -= 1;
    segment.goodBytes = startBytes + bytes.length;
    segment.remaining += records;
    segment.isUndated ||= isUndated;
    return { segment, goodBytesBefore, records, replaces };
  }

  async #rollBack(written: readonly WrittenChunk[]): Promise<void> {
    const openSegment = this.#open?.segment;
    await this.close();
    for (const { segment, goodBytesBefore, records, replaces } of written) {
      if (replaces) this.#freed += 1;
      segment.goodBytes = goodBytesBefore;
      segment.remaining = Math.max(0, segment.remaining - records);
    }
    const touched = new Set([
      ...written.map(({ segment }) => segment),
      ...(openSegment ? [openSegment] : []),
    ]);
    for (const segment of touched)
      if (segment.goodBytes === 0) await this.#ports.segmentList.discard(segment);
  }
}

function toOutboxError(error: unknown): unknown {
  const code = errorCode(error);
  if (error instanceof OutboxError || code === undefined) return error;
  return new OutboxError(errorMessage(error), code, { cause: error });
}
