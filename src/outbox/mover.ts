/** Moves readings from memory to the disk, as far as that takes them, and the rest to where memory keeps its backlog. */

import type { Clock } from '../core/ports.ts';
import type { Reading } from '../core/reading.ts';
import type { DiskNews } from './disk-news.ts';
import { inParts } from './parts.ts';
import { OutboxError, type ReadingStore } from './reading-store.ts';

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

  /** Never rejects, but for a bug. */
  async move(readings: readonly Reading[], disk: ReadingStore): Promise<void> {
    if (readings.length === 0) return;
    this.#moving = readings.length;
    // Each part begins with a full reading, wherever it ends up.
    const parts = [...inParts(readings)];
    try {
      for (let part = parts[0]; part; part = parts[0]) {
        await disk.append(part);
        parts.shift();
        this.#moving -= part.length;
      }
      this.#news.took(readings.length);
    } catch (error) {
      if (!(error instanceof OutboxError)) throw error;
      this.#refusedAtMs = this.#clock.bootMs();
      for (const part of parts) await this.#overflow.append(part);
      this.#news.refused(error);
    } finally {
      this.#moving = 0;
    }
  }
}
