/** The memory of the clock's offset, for as long as this object lives. */

import type { KnownOffsets } from '../../src/core/boot-offsets.ts';
import type { OffsetMemory } from '../../src/core/ports.ts';

export class MemoryOfOffsets implements OffsetMemory {
  readonly kept: KnownOffsets[] = [];

  recall(): KnownOffsets | undefined {
    return this.kept.at(-1);
  }

  keep(offsets: KnownOffsets): void {
    this.kept.push(offsets);
  }
}
