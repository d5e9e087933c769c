/** The memory of the clock's offset, for as long as this object lives. */

import type { KnownOffsets, OffsetMemory } from '../../src/core/ports/clock.ts';

export class MemoryOfOffsets implements OffsetMemory {
  readonly kept: KnownOffsets[] = [];

  recall(): KnownOffsets | undefined {
    return this.kept.at(-1);
  }

  keep(offsets: KnownOffsets): void {
    this.kept.push(offsets);
  }
}
