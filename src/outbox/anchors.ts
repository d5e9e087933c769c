/**
 * Anchors: when each boot was, so that readings stored before the clock was known to be right can be dated later.
 *
 * One small file, one line `{boot, offsetMs}` per boot, the newest 32. It is never changed in place: the next one,
 * `anchors.2` after `anchors.1`, is durable before the older goes; where both survived, both are read and the first
 * word about a boot counts. A line that is damaged is as if it had never been written.
 */

import type { Reading } from '../core/reading.ts';
import { frame, isMap, NEWLINE, unframe } from './codec.ts';
import type { SpoolDirectory } from './spool-directory.ts';

const ANCHORS_MAX = 32;
/** Far more than 32 lines need. */
const FILE_BYTES_MAX = 16_384;

export class Anchors {
  readonly #directory: SpoolDirectory;
  /** Boot to offset, in the order in which they became known. */
  readonly #offsets = new Map<string, number>();
  #fileNumbers: number[] = [];

  constructor(directory: SpoolDirectory) {
    this.#directory = directory;
  }

  get isStored(): boolean {
    return this.#fileNumbers.length > 0;
  }

  /** Reads those of the files `names` that are ours. Rejects with the system's error, and has then read none. */
  async load(names: readonly string[]): Promise<void> {
    const numbers = names.map(fileNumber).filter((number) => number !== undefined);
    this.#fileNumbers = numbers.sort((a, b) => a - b);
    for (const number of this.#fileNumbers) {
      this.#parse(await this.#directory.read(fileName(number), 0, FILE_BYTES_MAX));
    }
  }

  of(bootId: string): number | undefined {
    return this.#offsets.get(bootId);
  }

  /** Only the first word about a boot counts. */
  set(bootId: string, offsetMs: number): void {
    if (!this.#offsets.has(bootId)) this.#offsets.set(bootId, offsetMs);
  }

  /** The reading with its date; undefined while, or because, nobody knows when its boot was. */
  date(reading: Reading): Reading | undefined {
    if (reading.tsMs !== undefined) return reading;
    const offsetMs = this.#offsets.get(reading.bootId);
    return offsetMs === undefined ? undefined : { ...reading, tsMs: reading.bootMs + offsetMs };
  }

  /** Returns when a power cut can no longer undo what is known now. Rejects with the system's error. */
  async store(): Promise<void> {
    const number = (this.#fileNumbers.at(-1) ?? 0) + 1;
    const newest = [...this.#offsets].slice(-ANCHORS_MAX);
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
    await this.#remove(this.#fileNumbers.slice(0, -1));
  }

  /** No stored reading needs a date any more. Never rejects: a file too many costs one block. */
  async forget(): Promise<void> {
    await this.#remove(this.#fileNumbers);
  }

  async #remove(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) {
      try {
        await this.#directory.remove(fileName(number));
        this.#fileNumbers = this.#fileNumbers.filter((each) => each !== number);
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
      if (!isMap(line?.json)) continue;
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
