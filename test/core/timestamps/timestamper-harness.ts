/** A host with a clock and a time service, and its dating: what the tests of dating play on. */

import type { ClockTrust } from '../../../src/core/model/config.ts';
import type { Stamp } from '../../../src/core/model/reading.ts';
import type { KnownOffsets } from '../../../src/core/ports/clock.ts';
import { Dating } from '../../../src/core/timestamps/timestamper.ts';
import { ToldTimeSync } from '../../doubles/fake-time-sync.ts';
import { MemoryOfOffsets } from '../../doubles/in-memory-offsets.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const WALL_MS = Date.UTC(2026, 0, 1);
export const BOOT_MS = 5000;
export const HOUR_MS = 3_600_000;

export class DatingStage implements AsyncDisposable {
  readonly clock = new VirtualClock(WALL_MS, { bootId: 'this-boot', bootMs: BOOT_MS });
  readonly timeSync = new ToldTimeSync(this.clock);
  readonly log = new RecordingLogger();
  readonly stop = new AbortController();
  readonly memory = new MemoryOfOffsets();
  readonly anchoredMs: number[] = [];
  readonly dating: Dating;
  readonly watching: Promise<void>;

  constructor({
    trust = 'synchronised',
    synchronised = false,
    known,
  }: { trust?: ClockTrust; synchronised?: boolean; known?: KnownOffsets } = {}) {
    this.timeSync.synchronised = synchronised;
    this.dating = new Dating(this, { trust });
    if (known) this.dating.resume(known);
    this.watching = this.dating.watch(async (offsetMs) => {
      this.anchoredMs.push(offsetMs);
    }, this.stop.signal);
  }

  /** Synchronised, with the first question answered. */
  static async synchronised(): Promise<DatingStage> {
    const stage = new DatingStage({ synchronised: true });
    await stage.clock.advance(0);
    return stage;
  }

  /** A stamp every ten seconds for so long. */
  async stampFor(ms: number): Promise<readonly Stamp[]> {
    const stamps: Stamp[] = [];
    for (let leftMs = ms; leftMs > 0; leftMs -= 10_000) {
      await this.clock.advance(10_000);
      stamps.push(this.dating.stamp());
    }
    return stamps;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.watching;
  }
}

/** How far each date is from the wall clock that started right and never stepped. */
export function wrongBy(stamps: readonly Stamp[]): readonly (number | undefined)[] {
  return stamps.map(({ bootMs, tsMs }) => tsMs && tsMs - (WALL_MS - BOOT_MS + bootMs));
}
