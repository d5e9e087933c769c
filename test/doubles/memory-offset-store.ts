/** An `OffsetMemory` that lasts as long as this object. */

import type { OffsetMemory, StoredOffsets } from '../../src/core/ports/clock.ts';

export class MemoryOffsetStore implements OffsetMemory {
  readonly saved: StoredOffsets[] = [];

  load(): StoredOffsets | undefined {
    return this.saved.at(-1);
  }

  save(offsets: StoredOffsets): void {
    this.saved.push(offsets);
  }
}
