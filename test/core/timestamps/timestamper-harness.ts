/** A timestamper with a virtual clock and a scripted time service. */

import type { ClockTrust } from '../../../src/core/model/config.ts';
import type { Instant } from '../../../src/core/model/reading.ts';
import type { StoredOffsets } from '../../../src/core/ports/clock.ts';
import { Timestamper } from '../../../src/core/timestamps/timestamper.ts';
import { MemoryOffsetStore } from '../../doubles/memory-offset-store.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { ScriptedTimeSync } from '../../doubles/scripted-time-sync.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const WALL_MS = Date.UTC(2026, 0, 1);
export const BOOT_MS = 5000;
export const HOUR_MS = 3_600_000;

export class TimestamperHarness implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly timeSync: ScriptedTimeSync;
  readonly log = new RecordingLogger();
  readonly stop = new AbortController();
  readonly memory = new MemoryOffsetStore();
  readonly firstOffsetsMs: number[] = [];
  readonly timestamper: Timestamper;
  readonly running: Promise<void>;

  constructor({
    trust = 'synchronised',
    synchronised = false,
    storedOffsets,
    wallMs = WALL_MS,
    releasedMs,
  }: {
    trust?: ClockTrust;
    synchronised?: boolean;
    storedOffsets?: StoredOffsets;
    wallMs?: number;
    releasedMs?: number;
  } = {}) {
    this.clock = new VirtualClock(wallMs, { bootId: 'this-boot', bootMs: BOOT_MS });
    this.timeSync = new ScriptedTimeSync(this.clock);
    this.timeSync.synchronised = synchronised;
    this.timestamper = new Timestamper(this, { trust, ...(releasedMs !== undefined && { releasedMs }) });
    if (storedOffsets) this.timestamper.restore(storedOffsets);
    this.running = this.timestamper.run(async (offsetMs) => {
      this.firstOffsetsMs.push(offsetMs);
    }, this.stop.signal);
  }

  /** Synchronised, with the first question answered. */
  static async synchronised(): Promise<TimestamperHarness> {
    const harness = new TimestamperHarness({ synchronised: true });
    await harness.clock.advance(0);
    return harness;
  }

  /** An instant every ten seconds during `ms`. */
  async instantAt(ms: number): Promise<readonly Instant[]> {
    const instants: Instant[] = [];
    for (let savedMs = ms; savedMs > 0; savedMs -= 10_000) {
      await this.clock.advance(10_000);
      instants.push(this.timestamper.now());
    }
    return instants;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.running;
  }
}

/** How far each date is from the wall clock that started right and never stepped. */
export function wrongBy(instants: readonly Instant[]): readonly (number | undefined)[] {
  return instants.map(({ bootMs, tsMs }) => tsMs && tsMs - (WALL_MS - BOOT_MS + bootMs));
}
