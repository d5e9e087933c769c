/**
 * What the agent remembers of the assigned update, in its state directory, and the file itself: `partial` while it is
 * downloaded, `package` when it is verified. Written only while an update is assigned.
 */

import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseJsonObject } from '../../core/model/json-object.ts';
import { CHUNK_BYTES } from '../../core/ports/software-source.ts';
import type { Assignment } from '../../core/update/assignment.ts';
import { NodeInstallationDisk } from '../install/node-installation-disk.ts';
import type { UpdateSource } from '../update-source.ts';

export interface UpdateRecord {
  readonly assignment: Assignment;
  readonly phase: 'downloading' | 'requested' | 'finished';
  /** How often the download has begun from the start. */
  readonly downloads: number;
  /** The id of the request to install it, and the boot in which it was made. */
  readonly request?: string;
  readonly bootId?: string;
  readonly outcome?: 'updated' | 'failed';
  readonly problem?: string;
  /** The server has accepted the report of the outcome. */
  readonly isReported?: boolean;
}

const RECORD_BYTES_MAX = 16 * 1024;
const SYNC_EVERY_BYTES = 256 * 1024;

export class UpdateFiles {
  readonly #disk = new NodeInstallationDisk();
  readonly #directory: string;
  readonly #record: string;
  readonly #partial: string;
  readonly #package: string;
  #unsyncedBytes = 0;

  /** `state`: the state directory of the agent. */
  constructor(state: string) {
    this.#directory = join(state, 'update');
    this.#record = join(this.#directory, 'record.json');
    this.#partial = join(this.#directory, 'partial');
    this.#package = join(this.#directory, 'package');
  }

  /** Undefined if there is none, or if it is damaged. */
  load(): UpdateRecord | undefined {
    const value = parseJsonObject(this.#disk.readText(this.#record, RECORD_BYTES_MAX) ?? '');
    const isRecord = value && isJsonObject(value['assignment']) && typeof value['downloads'] === 'number';
    return isRecord ? (value as unknown as UpdateRecord) : undefined;
  }

  save(record: UpdateRecord): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#disk.replaceText(this.#record, JSON.stringify(record), 0o600);
  }

  /** How much has been downloaded: whole chunks only, because a power cut may leave a part of one. */
  get partialBytes(): number {
    const bytes = this.#disk.size(this.#partial) ?? 0;
    return bytes - (bytes % CHUNK_BYTES);
  }

  get freeBytes(): number {
    return this.#disk.freeBytes(this.#directory);
  }

  /** Writes at `offset`; synced every 256 kB, because each sync writes to the flash. */
  write(offset: number, bytes: Uint8Array): void {
    const file = openSync(this.#partial, offset === 0 ? 'w' : 'r+', 0o600);
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(file, bytes, done, bytes.length - done, offset + done);
      this.#unsyncedBytes += bytes.length;
      if (this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
      fsyncSync(file);
      this.#unsyncedBytes = 0;
    } finally {
      closeSync(file);
    }
  }

  open(): UpdateSource & Disposable {
    return this.#disk.open(this.#partial);
  }

  /** The verified file becomes the one that root's part reads. */
  release(): void {
    const file = openSync(this.#partial, 'r+');
    fsyncSync(file);
    closeSync(file);
    this.#disk.rename(this.#partial, this.#package);
  }

  get isReleased(): boolean {
    return this.#disk.size(this.#package) !== undefined;
  }

  discardPartial(): void {
    this.#unsyncedBytes = 0;
    this.#disk.remove(this.#partial);
  }

  discard(): void {
    this.discardPartial();
    this.#disk.remove(this.#package);
  }
}
