/**
 * A `SpoolDirectory` in memory that can lose its power, be full, be read-only and be broken.
 *
 * A power cut leaves synced bytes; of other bytes, each sector of 512 bytes old or new at random; of names
 * created or removed without a sync, each old or new at random. Operations of a process that opened the
 * directory before the cut reject.
 */

import type { SpoolDirectory, SpoolEntry, SpoolFile } from '../../../src/outbox/spool/directory.ts';

const SECTOR_BYTES = 512;

interface Inode {
  bytes: Buffer;
  synced: Buffer;
}

export class PowerCutDirectory implements SpoolDirectory {
  readOnly = false;
  readonly broken = { read: false, write: false, sync: false, remove: false };
  /** The maximum number of bytes of all files together. */
  capacityBytes = Number.POSITIVE_INFINITY;
  freeBytes = 1_000_000_000;
  totalBytes = 1_000_000_000;
  /** Number of changing operations until the power fails during one. */
  stepsUntilCut = Number.POSITIVE_INFINITY;
  /** False: file and directory syncs do nothing, which is the bug that tests must find. */
  syncs = true;
  readonly counts = { writes: 0, writtenBytes: 0, syncs: 0, creates: 0, removes: 0, reads: 0 };
  #names = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #boot = 0;
  #isOff = false;

  async list(): Promise<readonly SpoolEntry[]> {
    this.#assertOn(this.#boot);
    return [...this.#names].map(([name, { bytes }]) => ({ name, bytes: bytes.length }));
  }

  async create(name: string): Promise<SpoolFile> {
    const boot = this.#boot;
    this.#step(boot);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.write) throw failure('EIO');
    if (this.#names.has(name)) throw failure('EEXIST');
    const inode: Inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.#names.set(name, inode);
    this.counts.creates += 1;
    this.#assertOn(boot);
    return {
      write: async (bytes, position) => this.#write(boot, inode, bytes, position),
      sync: async () => {
        this.#step(boot);
        if (this.readOnly) throw failure('EROFS');
        if (this.broken.sync) throw failure('EIO');
        this.#assertOn(boot);
        this.counts.syncs += 1;
        if (this.syncs) inode.synced = Buffer.from(inode.bytes);
      },
      close: async () => {},
    };
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    this.#assertOn(this.#boot);
    this.counts.reads += 1;
    if (this.broken.read) throw failure('EIO');
    return Buffer.from(this.#inode(name).bytes.subarray(offset, offset + length));
  }

  async remove(name: string): Promise<void> {
    const boot = this.#boot;
    this.#step(boot);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.remove) throw failure('EIO');
    this.#inode(name);
    this.#names.delete(name);
    this.counts.removes += 1;
    this.#assertOn(boot);
  }

  async sync(): Promise<void> {
    this.#step(this.#boot);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.sync) throw failure('EIO');
    this.#assertOn(this.#boot);
    this.counts.syncs += 1;
    if (this.syncs) this.#durable = new Map(this.#names);
  }

  async space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    this.#assertOn(this.#boot);
    return { freeBytes: this.freeBytes, totalBytes: this.totalBytes };
  }

  /** Cuts the power and restores it; `random` decides which unsynced data survives. */
  cutPower(random: () => number): void {
    this.#boot += 1;
    this.#isOff = false;
    this.stepsUntilCut = Number.POSITIVE_INFINITY;
    const possibleContents = new Map<string, Inode>();
    for (const name of new Set([...this.#durable.keys(), ...this.#names.keys()])) {
      const [before, after] = [this.#durable.get(name), this.#names.get(name)];
      const inode = before === after || random() < 0.5 ? after : before;
      if (!inode) continue;
      const bytes = survivingBytes(inode, random);
      possibleContents.set(name, { bytes, synced: bytes });
    }
    this.#names = possibleContents;
    this.#durable = new Map(possibleContents);
  }

  /** The bytes of a file, which a test may damage. */
  bytesOf(name: string): Buffer {
    return this.#inode(name).bytes;
  }

  /** Adds a durable file. */
  store(name: string, bytes: Buffer): void {
    const inode = { bytes, synced: bytes };
    this.#names.set(name, inode);
    this.#durable.set(name, inode);
  }

  /** Whether the power has failed and is not restored. */
  get isOff(): boolean {
    return this.#isOff;
  }

  get names(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  #write(boot: number, inode: Inode, bytes: Buffer, position: number): void {
    this.#step(boot);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.write) throw failure('EIO');
    const others =
      [...this.#names.values()].reduce((sum, each) => sum + each.bytes.length, 0) - inode.bytes.length;
    const end = Math.min(position + bytes.length, Math.max(inode.bytes.length, this.capacityBytes - others));
    const grown = Buffer.alloc(Math.max(inode.bytes.length, end));
    inode.bytes.copy(grown);
    bytes.copy(grown, position, 0, end - position);
    inode.bytes = grown;
    if (end < position + bytes.length) throw failure('ENOSPC');
    this.#assertOn(boot);
    this.counts.writes += 1;
    this.counts.writtenBytes += bytes.length;
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (!inode) throw failure('ENOENT');
    return inode;
  }

  #step(boot: number): void {
    this.#assertOn(boot);
    this.stepsUntilCut -= 1;
    if (this.stepsUntilCut < 0) this.#isOff = true;
  }

  #assertOn(boot: number): void {
    if (this.#isOff || boot !== this.#boot) throw failure('ENODEV');
  }
}

function survivingBytes({ bytes, synced }: Inode, random: () => number): Buffer {
  if (bytes.equals(synced)) return synced;
  const afterPowerCut = Buffer.alloc(random() < 0.5 ? Math.max(synced.length, bytes.length) : synced.length);
  synced.copy(afterPowerCut);
  for (let at = 0; at < afterPowerCut.length; at += SECTOR_BYTES) {
    if (random() < 0.5) bytes.copy(afterPowerCut, at, at, Math.min(at + SECTOR_BYTES, afterPowerCut.length));
  }
  return afterPowerCut;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
