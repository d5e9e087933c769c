/** Moves readings from memory to the disk, as far as that takes them, and the rest to where memory keeps its backlog. */

import type { Reading, Values } from '../core/model/reading.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { DiskNews } from './disk-state-log.ts';
import { carry, expand } from './store/carry-forward.ts';
import { OutboxError, type ReadingStore } from './store/reading-store.ts';

export class Mover {
  readonly #clock: Pick<Clock, 'bootMs'>;
  readonly #overflow: ReadingStore;
  readonly #news: DiskNews;
  #moving = 0;
  #refusedAtMs = 0;

  constructor(clock: Pick<Clock, 'bootMs'>, overflow: ReadingStore, news: DiskNews) {
    this.#clock = clock;
    this.#overflow = overflow;
    this.#news = news;
  }

  /** Readings on their way, which are in neither store. */
  get moving(): number {
    return this.#moving;
  }

  /** When the disk last refused, ms since the boot. */
  get refusedAtMs(): number {
    return this.#refusedAtMs;
  }

  /** True when the disk took them all. Never rejects, but for a bug. */
  async move(readings: readonly Reading[], disk: ReadingStore): Promise<boolean> {
    if (readings.length === 0) return true;
    this.#moving = readings.length;
    let part: readonly Reading[] = [];
    try {
      for (part of inParts(readings)) {
        await disk.append(part);
        this.#moving -= part.length;
      }
      this.#news.took(readings.length);
      return true;
    } catch (error) {
      if (!(error instanceof OutboxError)) throw error;
      this.#refusedAtMs = this.#clock.bootMs();
      // As they were, or each try would make them larger; but what is left must begin with a full reading.
      const left = readings.slice(readings.length - this.#moving + part.length);
      await this.#overflow.append([...part, ...left]);
      this.#news.refused(error);
      return false;
    } finally {
      this.#moving = 0;
    }
  }
}

/** About a segment of readings that are usual. */
const READINGS_MAX = 256;

export function* inParts(readings: readonly Reading[]): Generator<readonly Reading[]> {
  let before: Values = {};
  for (let from = 0; from < readings.length; from += READINGS_MAX) {
    const part = readings.slice(from, from + READINGS_MAX);
    const first = part.findIndex(({ gap }) => !gap);
    const sample = part[first];
    if (sample && from > 0) part[first] = expand(before, sample);
    for (const reading of part) before = carry(before, reading);
    yield part;
  }
}
