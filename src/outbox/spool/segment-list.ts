/**
 * The spool's segments, oldest first, and operations on whole segments: count, read, drop, remove.
 *
 * At most one segment's bytes are in memory, valid until the next read. A segment that stays unreadable is
 * counted as lost; one that cannot be removed is never read again; one of a newer version is neither read nor
 * removed, and not in the list. Removals are not synced: a power cut that undoes one only repeats points.
 */

import { type EventId, logEvent } from '../../core/events/catalogue.ts';
import type { EventLevel } from '../../core/events/definition.ts';
import { errorCode, errorMessage } from '../../core/model/error-code.ts';
import type { LossReason, LossReport } from '../../core/model/loss-report.ts';
import type { LogFields, Logger } from '../../core/ports/log.ts';
import type { BootOffsetFile } from './boot-offset-file.ts';
import { FORMAT_VERSION } from './codec.ts';
import type { SpoolDirectory, SpoolEntry } from './directory.ts';
import { reportDropped, reportLosses } from './report-losses.ts';
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

/** One attempt per sample: a disk that fails for minutes must not cost its readings. */
const READ_TRIES_MAX = 60;

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
  /** Called for every segment whose readings are gone, taken or not. */
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

  /** True if no file in the directory can have readings that need an offset. */
  get isEmpty(): boolean {
    return this.#segments.length === 0 && !this.#hasNewerFormat;
  }

  /** Finds and counts the segments of earlier processes; changes nothing on the disk. Never rejects. */
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

  /** A number that no segment has had before. */
  allocateNumber(): number {
    this.#nextNumber += 1;
    return this.#nextNumber - 1;
  }

  /** Adds a segment whose file exists, as the newest. */
  add(number: number, fileBytes = SEGMENT_BYTES): Segment {
    const segment = newSegment(number, fileBytes);
    this.#segments.push(segment);
    return segment;
  }

  /** Its content up to `goodBytes`; undefined if it is unreadable now, lost, or of a newer version. */
  async read(segment: Segment): Promise<Buffer | undefined> {
    const content = await this.#readFile(segment);
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

  /**
   * Removes a segment whose records are done, else the oldest, and counts its readings as lost. Rejects if its
   * file, with its readings, stays.
   */
  async drop(reason: LossReason): Promise<void> {
    const segment = this.#segments.find(({ isConsumed }) => isConsumed) ?? this.#segments[0];
    if (!segment) return;
    const content = segment.isConsumed ? undefined : await this.#readFile(segment);
    // Counted after the removal: readings of a file that stays can be delivered.
    await this.#remove(segment);
    reportLosses(this.#ports.losses, segment);
    reportDropped(this.#ports, segment, content, reason);
    segment.remaining = 0;
    segment.isConsumed = true;
    this.onRemoved(segment);
  }

  /** Removes a segment whose records are done; if that fails, it is never read again. Never rejects. */
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

  /** Removes the file, unless someone else has, and the segment from the list. */
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
    const content = await this.#readFile(segment);
    // 1 makes the reader try the segment, even if it could not be counted.
    segment.remaining = 1;
    segment.isCounted = false;
    if (content && !this.#isNewerFormat(segment, content)) this.#setCount(segment, content);
  }

  /**
   * The content, with one immediate retry; undefined if it cannot be read now, which `failedReads` counts.
   */
  async #readFile(segment: Segment): Promise<Buffer | undefined> {
    const { directory, log } = this.#ports;
    const file = segmentName(segment.number);
    const read = () => directory.read(file, 0, segment.goodBytes);
    try {
      const content = await read().catch(read);
      segment.failedReads = 0;
      return content;
    } catch (error) {
      // ENOENT is final: someone else has removed the file.
      segment.failedReads = errorCode(error) === 'ENOENT' ? READ_TRIES_MAX : segment.failedReads + 1;
      log.logEvent('FL-SPOOL-READ-FAILED', { file, detail: errorMessage(error) });
      return undefined;
    }
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

/** Logs each event once per process, so that a failing disk does not flood the log. */
export class OnceLog {
  readonly #log: Pick<Logger, EventLevel>;
  readonly #logged = new Set<EventId>();

  constructor(log: Pick<Logger, EventLevel>) {
    this.#log = log;
  }

  logEvent(id: EventId, fields: LogFields): void {
    if (this.#logged.has(id)) return;
    this.#logged.add(id);
    logEvent(this.#log, id, fields);
  }
}
