/**
 * The offset between time since boot and the date, per boot, to timestamp undated readings later.
 *
 * One small file, `anchors.N`, with one line `{boot, offsetMs}` for each of the newest 32 boots. It is never
 * changed in place: the next file is durable before the older one is removed. If both exist, both are read,
 * and the first line about a boot counts. Damaged lines are skipped. An unreadable file is kept and read
 * again; readings that may need it wait meanwhile.
 */

import { isJsonObject } from '../../core/model/json-object.ts';
import type { Reading } from '../../core/model/reading.ts';
import { frame, NEWLINE, unframe } from './codec.ts';
import type { SpoolDirectory } from './directory.ts';

const BOOTS_MAX = 32;
/** Much more than 32 lines need. */
const FILE_BYTES_MAX = 16_384;
/** One attempt per sample: a disk that fails for minutes must not cost the timestamps. */
const READ_TRIES_MAX = 60;

export class BootOffsetFile {
  readonly #directory: SpoolDirectory;
  /** Boot ID to offset, oldest first. */
  readonly #offsets = new Map<string, number>();
  #fileNumbers: number[] = [];
  /** Files that have not been read yet. */
  #unread: number[] = [];
  #failedReads = 0;

  constructor(directory: SpoolDirectory) {
    this.#directory = directory;
  }

  get isSaved(): boolean {
    return this.#fileNumbers.length > 0;
  }

  /** False while a file could not be read: it may have the offset of any boot. */
  get isComplete(): boolean {
    return this.#unread.length === 0;
  }

  /**
   * Reads those of the files `names` that hold offsets. Rejects if one is unreadable; then call `retryRead`.
   */
  async load(names: readonly string[]): Promise<void> {
    const numbers = names.map(fileNumber).filter((number) => number !== undefined);
    this.#fileNumbers = numbers.sort((a, b) => a - b);
    this.#unread = [...this.#fileNumbers];
    await this.#readRest();
  }

  /** Reads the remaining files, and gives up after READ_TRIES_MAX attempts. Never rejects. */
  async retryRead(): Promise<void> {
    try {
      await this.#readRest();
    } catch {
      this.#failedReads += 1;
      if (this.#failedReads >= READ_TRIES_MAX) this.#unread = [];
    }
  }

  async #readRest(): Promise<void> {
    // In order, because the first line about a boot counts.
    for (let number = this.#unread[0]; number !== undefined; number = this.#unread[0]) {
      this.#parse(await this.#directory.read(fileName(number), 0, FILE_BYTES_MAX));
      this.#unread.shift();
    }
  }

  get(bootId: string): number | undefined {
    return this.#offsets.get(bootId);
  }

  /** Has no effect if the offset of the boot is known. */
  set(bootId: string, offsetMs: number): void {
    if (!this.#offsets.has(bootId)) this.#offsets.set(bootId, offsetMs);
  }

  /** The reading with its timestamp; undefined if the offset of its boot is unknown. */
  withTimestamp(reading: Reading): Reading | undefined {
    if (reading.tsMs !== undefined) return reading;
    const offsetMs = this.#offsets.get(reading.bootId);
    return offsetMs === undefined ? undefined : { ...reading, tsMs: reading.bootMs + offsetMs };
  }

  /** Resolves when the known offsets survive a power cut. Rejects with the system's error. */
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
      // Registered even if the write fails, so that it is removed later.
      this.#fileNumbers.push(number);
      await file.close();
    }
    await this.#directory.sync();
    // The new file lacks the lines of unread files, so these stay.
    await this.#remove(this.#fileNumbers.slice(0, -1).filter((each) => !this.#unread.includes(each)));
  }

  /**
   * Removes all files, when no stored reading needs them. Never rejects: a remaining file costs one block.
   */
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
