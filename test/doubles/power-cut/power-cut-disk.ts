/**
 * A disk whose power can be cut, and the `CredentialStore` that a process opens on it.
 *
 * A write has the steps of a real file system: write a temporary file, sync it, rename it, sync the
 * directory. A power cut leaves the last durable record or, at random, a later one whose rename was not
 * synced yet; never a mixture. `write` resolves only when the record is durable. The file system syncs by
 * itself some seconds after a rename. With `syncsDirectory: false` the last step is missing, which is the bug
 * that tests must find: `write` then resolves while the rename can still be lost.
 */

import type { CredentialRecord, CredentialStore } from '../../../src/core/ports/credentials.ts';

export interface DiskPorts {
  /** Runs `action` once after `ms`. */
  readonly after: (ms: number, action: () => void) => unknown;
  readonly random: () => number;
  /** Called after each step, for a trace. */
  readonly record: (step: string) => void;
}

/** Runs a step, unless the process is dead. */
export type DiskOperation = (step: () => void) => void;

type Content = CredentialRecord | undefined;

const FILE_SYSTEM_SYNCS_AFTER_MS = { least: 1_000, most: 30_000 } as const;

export class PowerCutDisk {
  /** The maximum duration of a step, ms; a failing SD card takes seconds. */
  stepMsMax = 5;
  /** A full disk: writes fail at their first step. */
  full = false;
  readonly #ports: DiskPorts;
  readonly #syncsDirectory: boolean;
  /** From the durable record to the visible one. */
  #contents: Content[] = [undefined];

  constructor(ports: DiskPorts, syncsDirectory = true) {
    this.#ports = ports;
    this.#syncsDirectory = syncsDirectory;
  }

  /** All records that a power cut now could leave; only one if no write is in progress. */
  get afterPowerCuts(): readonly (CredentialRecord | undefined)[] {
    return this.#contents;
  }

  /** The record that a reader gets. */
  get visible(): Content {
    return this.#contents.at(-1);
  }

  cutPower(): void {
    const afterPowerCut = this.#contents[Math.floor(this.#ports.random() * this.#contents.length)];
    this.#ports.record(`disk: ${afterPowerCut?.state ?? 'nothing'} survives of ${this.#contents.length}`);
    this.#contents = [afterPowerCut];
  }

  /** Opens the store of one process; `operation` checks whether that process still runs. */
  open(operation: DiskOperation): CredentialStore {
    const step = (name: string, effect: () => void = () => {}) => this.#step(name, effect, operation);
    return {
      read: async () => {
        await step('read');
        // A record must be durable before it is used, because the previous process may have died at the
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
