/**
 * The writing half of the spool: batches go into one open segment, one write and one flush each, then into the next.
 *
 * Promises: a batch is stored whole or not at all, as far as this process reads: what of a failed one may be on the disk
 * lies beyond the good bytes and is read only after a restart, as a repetition of the same points. A segment whose
 * write or flush failed is not written again, because what the disk holds of it is unknown. The spool grows only
 * up to its bound and never into the file system's last free share; the oldest segments go first.
 */

import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { LossReport } from '../../core/model/loss-report.ts';
import type { Reading } from '../../core/model/reading.ts';
import { OutboxError } from '../store/reading-store.ts';
import { type Chunk, splitIntoChunks } from './chunks.ts';
import { encodeHeader } from './codec.ts';
import type { SpoolDirectory, SpoolFile } from './directory.ts';
import { SEGMENT_BYTES, type Segment, segmentName } from './segment.ts';
import type { SegmentList } from './segment-list.ts';

export interface WriterPorts {
  readonly segmentList: SegmentList;
  readonly directory: SpoolDirectory;
  readonly losses: LossReport;
  readonly bootId: string;
}

export interface WriterBounds {
  readonly bytesMax: number;
  readonly freeShare: number;
}

interface OpenSegment {
  readonly segment: Segment;
  readonly file: SpoolFile;
}

/** A piece that is on the disk, while the rest of its batch is not. */
interface WrittenChunk {
  readonly segment: Segment;
  readonly goodBytesBefore: number;
  readonly records: number;
}

export class SpoolWriter {
  readonly #ports: WriterPorts;
  readonly #bounds: WriterBounds;
  readonly #header: Buffer;
  #open: OpenSegment | undefined;

  constructor(ports: WriterPorts, bounds: WriterBounds) {
    this.#ports = ports;
    // With one segment alone every new one would cost all that is stored.
    this.#bounds = { ...bounds, bytesMax: Math.max(bounds.bytesMax, 2 * SEGMENT_BYTES) };
    this.#header = encodeHeader(ports.bootId);
  }

  get segment(): Segment | undefined {
    return this.#open?.segment;
  }

  /** Returns when a power cut can no longer undo it. Rejects with an OutboxError. */
  async append(readings: readonly Reading[]): Promise<void> {
    // A file that cannot be read any more may have been removed while it was open.
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

  /** The open segment is closed; the next append begins another. Never rejects: what it holds is synced. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close().catch(() => {});
  }

  async #openNext(): Promise<OpenSegment> {
    await this.close();
    await this.#makeRoom();
    this.#open = await this.#create().catch(async (error: unknown) => {
      // The directory could not be listed at the start: what it holds is met now.
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

  /** The first piece of a segment brings the whole of it into being: header, records and unused rest. */
  async #write({ segment, file }: OpenSegment, { bytes, records, isUndated }: Chunk): Promise<WrittenChunk> {
    const goodBytesBefore = segment.goodBytes;
    const isNew = goodBytesBefore === 0;
    const startBytes = isNew ? this.#header.length : goodBytesBefore;
    if (isNew) {
      const whole = Buffer.alloc(SEGMENT_BYTES);
      this.#header.copy(whole);
      bytes.copy(whole, startBytes);
      await file.write(whole, 0);
    } else {
      await file.write(bytes, startBytes);
    }
    await file.sync();
    if (isNew) await this.#ports.directory.sync();
    segment.goodBytes = startBytes + bytes.length;
    segment.remaining += records;
    segment.isUndated ||= isUndated;
    return { segment, goodBytesBefore, records };
  }

  async #makeRoom(): Promise<void> {
    const { segmentList, directory } = this.#ports;
    const { bytesMax, freeShare } = this.#bounds;
    const isFull = () => segmentList.bytes + SEGMENT_BYTES > bytesMax && segmentList.segments.length > 0;
    const wasFull = isFull();
    while (isFull()) await segmentList.drop('spool full');
    if (wasFull) return;
    const { freeBytes, totalBytes } = await directory.space();
    if (freeBytes - SEGMENT_BYTES >= freeShare * totalBytes) return;
    // One for one, so that it does not grow; of a single segment the newest readings would replace all others.
    if (segmentList.segments.length < 2) {
      throw new OutboxError('the file system has too little free space for the spool to grow', 'LOW_SPACE');
    }
    await segmentList.drop('disk full');
  }

  async #rollBack(written: readonly WrittenChunk[]): Promise<void> {
    const openSegment = this.#open?.segment;
    await this.close();
    for (const { segment, goodBytesBefore, records } of written) {
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
