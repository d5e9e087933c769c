/**
 * The spool directory as one process sees it: operations take time, and never end when the process is dead.
 * Each operation is an act, at which the process may die.
 *
 * Checks that the bytes keep within their bound, and counts writes without a reason.
 */

import type { SpoolDirectory, SpoolFile } from '../../../../src/outbox/spool/directory.ts';
import { countRecords, segmentNumber } from '../../../../src/outbox/spool/segment.ts';
import type { PowerCutDirectory } from '../../../doubles/power-cut/power-cut-directory.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { Ledger } from '../checks/ledger.ts';

export interface WatchedPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly ledger: Ledger;
  readonly disk: PowerCutDirectory;
  /** Runs `effect` unless the process is dead; may end the process before or after it. */
  readonly act: (effect: () => void) => void;
  /** Whether there is a reason to write. */
  readonly mayWrite: () => boolean;
}

/** The two files of boot offsets beside the segments, bytes. */
const BOOT_OFFSETS_BYTES = 32_768;

export class WatchedDirectory implements SpoolDirectory {
  readonly #ports: WatchedPorts;
  readonly #stepMsMax: number;
  readonly #bytesMax: number;

  constructor(ports: WatchedPorts, stepMsMax: number, bytesMax: number) {
    this.#ports = ports;
    this.#stepMsMax = stepMsMax;
    this.#bytesMax = bytesMax;
  }

  list(): ReturnType<SpoolDirectory['list']> {
    return this.#step(() => this.#ports.disk.list());
  }

  async create(name: string): Promise<SpoolFile> {
    this.#watchWrite(`create ${name}`);
    const file = await this.#step(() => this.#ports.disk.create(name));
    return {
      write: (bytes, position) => {
        this.#watchWrite(`write ${name}`);
        return this.#step(() => file.write(bytes, position)).then(() => this.#watchBytes());
      },
      sync: () => this.#step(() => file.sync()),
      close: () => this.#step(() => file.close()),
    };
  }

  read(name: string, offset: number, length: number): Promise<Buffer> {
    return this.#step(() => this.#ports.disk.read(name, offset, length));
  }

  async remove(name: string): Promise<void> {
    const { disk, ledger } = this.#ports;
    const removal = { readings: 0 };
    await this.#step(async () => {
      const readings = segmentNumber(name) ? countRecords(disk.bytesOf(name)) : 0;
      await disk.remove(name);
      removal.readings = readings;
      ledger.interruptedRemovals.add(removal);
    });
    ledger.interruptedRemovals.delete(removal);
  }

  sync(): Promise<void> {
    return this.#step(() => this.#ports.disk.sync());
  }

  space(): ReturnType<SpoolDirectory['space']> {
    return this.#step(() => this.#ports.disk.space());
  }

  #step<T>(effect: () => Promise<T>): Promise<T> {
    const { time, random, act } = this.#ports;
    return new Promise((resolve, reject) => {
      time.after(random.random() * this.#stepMsMax, () =>
        act(() => {
          // Starts at once, so that it is complete if the process ends just after this act.
          effect().then(
            (value) => act(() => resolve(value)),
            (error: unknown) => act(() => reject(error)),
          );
        }),
      );
    });
  }

  #watchWrite(what: string): void {
    if (this.#ports.mayWrite()) return;
    this.#ports.ledger.writesWhileOnline += 1;
    this.#ports.ledger.reportViolation('no write without queued readings', what);
  }

  #watchBytes(): void {
    const { disk, ledger } = this.#ports;
    const bytes = disk.names.reduce((sum, name) => sum + disk.bytesOf(name).length, 0);
    if (bytes > this.#bytesMax + BOOT_OFFSETS_BYTES)
      ledger.reportViolation('spool within its bound', `${bytes} bytes`);
  }
}
