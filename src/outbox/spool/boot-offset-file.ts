/**
 * Anchors: when each boot was, so that readings stored before the clock was known to be right can be dated later.
 *
 * One small file, one line `{boot, offsetMs}` per boot, the newest 32. It is never changed in place: the next one,
 * `anchors.2` after `anchors.1`, is durable before the older goes; where both survived, both are read and the first
 * word about a boot counts. A line that is damaged is as if it had never been written. A file that cannot be read is asked for
 * again, and stays; what it may date waits meanwhile.
 */

import { isJsonObject } from '../../core/model/json-object.ts';
import type { Reading } from '../../core/model/reading.ts';
import { frame, NEWLINE, unframe } from './codec.ts';
import type { SpoolDirectory } from './directory.ts';

const BOOTS_MAX = 32;
/** Far more than 32 lines need. */
const FILE_BYTES_MAX = 16_384;
/** A disk that hiccups for minutes must not cost the dates; asked again with every sample, as a segment is. */
const READ_TRIES_MAX = 60;

export class BootOffsetFile {
  readonly #directory: SpoolDirectory;
  /** Boot to offset, in the order in which they became known. */
  readonly #offsets = new Map<string, number>();
  #fileNumbers: number[] = [];
  /** Those of them whose lines are not known. */
  #unread: number[] = [];
  #failedReads = 0;

  constructor(directory: SpoolDirectory) {
    this.#directory = directory;
  }

  get isSaved(): boolean {
    return this.#fileNumbers.length > 0;
  }

  /** False while what dates a boot may be in a file that could not be read. */
  get isComplete(): boolean {
    return this.#unread.length === 0;
  }

  /** Reads those of the files `names` that are ours. Rejects with the system's error; then `readAgain` goes on. */
  async load(names: readonly string[]): Promise<void> {
    const numbers = names.map(fileNumber).filter((number) => number !== undefined);
    this.#fileNumbers = numbers.sort((a, b) => a - b);
    this.#unread = [...this.#fileNumbers];
    await this.#readRest();
  }

  /** What could not be read: gone on with, and given up when that has failed for long. Never rejects. */
  async retryRead(): Promise<void> {
    try {
      await this.#readRest();
    } catch {
      this.#failedReads += 1;
      if (this.#failedReads >= READ_TRIES_MAX) this.#unread = [];
    }
  }

  async #readRest(): Promise<void> {
    // One after the other and in their order, because the first word counts.
    for (let number = this.#unread[0]; number !== undefined; number = this.#unread[0]) {
      this.#parse(await this.#directory.read(fileName(number), 0, FILE_BYTES_MAX));
      this.#unread.shift();
    }
  }

  get(bootId: string): number | undefined {
    return this.#offsets.get(bootId);
  }

  /** Only the first word about a boot counts. */
  set(bootId: string, offsetMs: number): void {
    if (!this.#offsets.has(bootId)) this.#offsets.set(bootId, offsetMs);
  }

  /** The reading with its date; undefined while, or because, nobody knows when its boot was. */
  withTimestamp(reading: Reading): Reading | undefined {
    if (reading.tsMs !== undefined) return reading;
    const offsetMs = this.#offsets.get(reading.bootId);
    return offsetMs === undefined ? undefined : { ...reading, tsMs: reading.bootMs + offsetMs };
  }

  /** Returns when a power cut can no longer undo what is known now. Rejects with the system's error. */
  async save(): Promise<void> {
    if (!this.isComplete) await this.retryRead();
    const number = (this.#fileNumbers.at(-1) ?? 0) + 1;
    const newest = [...this.#offsets].slice(-BOOTS_MAX);
    const file = await this.#directory.create(fileName(number));
    try {
      const lines = newest.map(([boot, offsetMs]) => frame({ boot, offsetMs }));
      await file.write(Buffer.concat(lines), 0);
      await file.sync();
    } finally {
      // Only when this one is whole do the older ones go, so it is known from here on and removed with them.
      this.#fileNumbers.push(number);
      await file.close();
    }
    await this.#directory.sync();
    // What is not known is not in this one.
    await this.#remove(this.#fileNumbers.slice(0, -1).filter((each) => !this.#unread.includes(each)));
  }

  /** No stored reading needs a date any more. Never rejects: a file too many costs one block. */
  async clear(): Promise<void> {
    await this.#remove(this.#fileNumbers);
  }

  async #remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      try {
        await this.#directory.remove(fileName(number));
        this.#fileNumbers = this.#fileNumbers.filter((each) => each !== number);
        this.#unread = this.#unread.filter((each) => each !== number);
      } catch {
        return;
      }
    }
  }

  #parse(content: Buffer): void {
    for (let at = 0; at < content.length; ) {
      const line = unframe(content, at);
      const newline = content.indexOf(NEWLINE, at);
      at = line?.endBytes ?? (newline < 0 ? content.length : newline + 1);
      if (!isJsonObject(line?.json)) continue;
      const { boot, offsetMs } = line.json;
      if (typeof boot === 'string' && typeof offsetMs === 'number') this.set(boot, offsetMs);
    }
  }
}

function fileName(number: number): string {
  return `anchors.${number}`;
}

function fileNumber(name: string): number | undefined {
  return /^anchors\.[1-9]\d{0,14}$/.test(name) ? Number(name.slice('anchors.'.length)) : undefined;
}
