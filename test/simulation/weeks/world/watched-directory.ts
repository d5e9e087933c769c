/**
 * The spool's directory as one process sees it: its operations take time, are counted, and never end once it is dead.
 *
 * Each is an act, at which the life may be made to end. Says afterwards whether the bytes in it kept within the bound, and how
 * often it was written to although nothing waited.
 */

import type { SpoolDirectory, SpoolFile } from '../../../../src/outbox/spool/directory.ts';
import type { PowerCutDirectory } from '../../../doubles/power-cut-directory.ts';
import type { SeededRandom } from '../../seeded-random.ts';
import type { VirtualTime } from '../../virtual-time.ts';
import type { Ledger } from '../checks/ledger.ts';

export interface WatchedPorts {
  readonly time: VirtualTime;
  readonly rng: SeededRandom;
  readonly ledger: Ledger;
  readonly disk: PowerCutDirectory;
  /** Does it, unless the process is dead; may end the process before or after. */
  readonly act: (effect: () => void) => void;
  /** There is a reason to write. */
  readonly mayWrite: () => boolean;
}

/** The anchors' two files beside the segments, bytes. */
const BESIDE_BYTES = 32_768;

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

  remove(name: string): Promise<void> {
    return this.#step(() => this.#ports.disk.remove(name));
  }

  sync(): Promise<void> {
    return this.#step(() => this.#ports.disk.sync());
  }

  space(): ReturnType<SpoolDirectory['space']> {
    return this.#step(() => this.#ports.disk.space());
  }

  #step<T>(effect: () => Promise<T>): Promise<T> {
    const { time, rng, act } = this.#ports;
    return new Promise((resolve, reject) => {
      time.after(rng.random() * this.#stepMsMax, () =>
        act(() => {
          // Begun at once, so that an end just after this act finds it done.
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
    this.#ports.ledger.recordGap('no write while nothing waits', what);
  }

  #watchBytes(): void {
    const { disk, ledger } = this.#ports;
    const bytes = disk.names.reduce((sum, name) => sum + disk.bytesOf(name).length, 0);
    if (bytes > this.#bytesMax + BESIDE_BYTES) ledger.recordGap('spool within its bound', `${bytes} bytes`);
  }
}
