/**
 * A disk that can lose its power, and the `CredentialStore` a process opens on it.
 *
 * A write is a sequence, as on a real file system: temporary file written, file synced, renamed, directory
 * synced. What a power cut leaves is the last durable record or any later one whose rename was not synced
 * yet, by a throw of the dice; never a mixture. `write` resolves only when the record is durable. A cut
 * between two steps leaves the sequence where it was. The file system syncs by itself some seconds after a
 * rename. With `syncsDirectory: false` the last step is missing, which is the bug to be found: `write` then
 * resolves while the rename may still be lost.
 */

import type { CredentialRecord, CredentialStore } from '../../src/core/ports/credentials.ts';

export interface DiskPorts {
  /** Runs `action` once after `ms`. */
  readonly after: (ms: number, action: () => void) => unknown;
  readonly random: () => number;
  /** Told of every step after it was taken, for a trace. */
  readonly record: (step: string) => void;
}

/** Lets a step happen, or not: a process that has died does nothing more. */
export type DiskOperation = (step: () => void) => void;

type Content = CredentialRecord | undefined;

const FILE_SYSTEM_SYNCS_AFTER_MS = { least: 1_000, most: 30_000 } as const;

export class PowerCutDisk {
  /** Every step of a write takes up to this, ms; a dying card takes seconds. */
  stepMsMax = 5;
  /** A full disk: writes fail at their first step. */
  full = false;
  readonly #ports: DiskPorts;
  readonly #syncsDirectory: boolean;
  /** From the surely durable one to the one a reader sees. */
  #contents: Content[] = [undefined];

  constructor(ports: DiskPorts, syncsDirectory = true) {
    this.#ports = ports;
    this.#syncsDirectory = syncsDirectory;
  }

  /** Everything a power cut now could leave; one of them, whenever nothing is being written. */
  get afterPowerCuts(): readonly (CredentialRecord | undefined)[] {
    return this.#contents;
  }

  /** What a reader sees. */
  get visible(): Content {
    return this.#contents.at(-1);
  }

  cutPower(): void {
    const afterPowerCut = this.#contents[Math.floor(this.#ports.random() * this.#contents.length)];
    this.#ports.record(`disk: ${afterPowerCut?.state ?? 'nothing'} survives of ${this.#contents.length}`);
    this.#contents = [afterPowerCut];
  }

  /** The store of one process; `act` decides whether that process still lives. */
  open(operation: DiskOperation): CredentialStore {
    const step = (name: string, effect: () => void = () => {}) => this.#step(name, effect, operation);
    return {
      read: async () => {
        await step('read');
        // What is read is relied upon, so it is made durable first; the process before may have died at the
        // rename.
        if (this.#contents.length > 1 && this.#syncsDirectory)
          await step('sync', () => this.#syncDirectory());
        return this.visible;
      },
      write: async (record) => {
        await step('write temporary');
        if (this.full) throw new DiskFullError();
        await step('sync temporary');
        await step(`rename ${record.state}`, () => this.#rename(record));
        if (this.#syncsDirectory) await step('sync directory', () => this.#syncDirectory());
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #step(name: string, effect: () => void, operation: DiskOperation): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.after(this.#ports.random() * this.stepMsMax, () =>
        operation(() => {
          effect();
          this.#ports.record(`disk: ${name}`);
          resolve();
        }),
      );
    });
  }

  #rename(record: CredentialRecord): void {
    const content = { ...record };
    this.#contents.push(content);
    const { least, most } = FILE_SYSTEM_SYNCS_AFTER_MS;
    this.#ports.after(least + this.#ports.random() * (most - least), () => {
      const at = this.#contents.indexOf(content);
      if (at > 0) this.#contents = this.#contents.slice(at);
    });
  }

  #syncDirectory(): void {
    this.#contents = this.#contents.slice(-1);
  }
}

class DiskFullError extends Error {
  override readonly name = 'StoreError';
  readonly code = 'STORE_FAILED';
  constructor() {
    super('the disk is full; free some space');
  }
}
