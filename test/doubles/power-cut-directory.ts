/**
 * A `SpoolDirectory` in memory that can lose its power, be full, be read-only and be broken.
 *
 * What a power cut leaves: bytes that were synced; of bytes that were not, each sector of 512 bytes old or new by a
 * throw of the dice; of names that were made or removed and not synced, each by a throw of the dice. Whoever had it
 * open before the cut is dead: its operations reject.
 */

import type { SpoolDirectory, SpoolEntry, SpoolFile } from '../../src/outbox/spool/directory.ts';

const SECTOR_BYTES = 512;

interface Inode {
  bytes: Buffer;
  synced: Buffer;
}

export class PowerCutDirectory implements SpoolDirectory {
  readOnly = false;
  readonly broken = { read: false, write: false, sync: false, remove: false };
  /** All files together may have so many bytes. */
  capacityBytes = Number.POSITIVE_INFINITY;
  freeBytes = 1_000_000_000;
  totalBytes = 1_000_000_000;
  /** Operations that change something until the power fails in the middle of one. */
  stepsUntilCut = Number.POSITIVE_INFINITY;
  /** With false, file.sync and directory sync do nothing: the bug to be found. */
  syncs = true;
  readonly counts = { writes: 0, writtenBytes: 0, syncs: 0, creates: 0, removes: 0, reads: 0 };
  #names = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  #life = 0;
  #isOff = false;

  async list(): Promise<readonly SpoolEntry[]> {
    this.#assertOn(this.#life);
    return [...this.#names].map(([name, { bytes }]) => ({ name, bytes: bytes.length }));
  }

  async create(name: string): Promise<SpoolFile> {
    const life = this.#life;
    this.#step(life);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.write) throw failure('EIO');
    if (this.#names.has(name)) throw failure('EEXIST');
    const inode: Inode = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.#names.set(name, inode);
    this.counts.creates += 1;
    this.#assertOn(life);
    return {
      write: async (bytes, position) => this.#write(life, inode, bytes, position),
      sync: async () => {
        this.#step(life);
        if (this.broken.sync) throw failure('EIO');
        this.#assertOn(life);
        this.counts.syncs += 1;
        if (this.syncs) inode.synced = Buffer.from(inode.bytes);
      },
      close: async () => {},
    };
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    this.#assertOn(this.#life);
    this.counts.reads += 1;
    if (this.broken.read) throw failure('EIO');
    return Buffer.from(this.#inode(name).bytes.subarray(offset, offset + length));
  }

  async remove(name: string): Promise<void> {
    const life = this.#life;
    this.#step(life);
    if (this.readOnly) throw failure('EROFS');
    if (this.broken.remove) throw failure('EIO');
    this.#inode(name);
    this.#names.delete(name);
    this.counts.removes += 1;
    this.#assertOn(life);
  }

  async sync(): Promise<void> {
    this.#step(this.#life);
    if (this.broken.sync) throw failure('EIO');
    this.#assertOn(this.#life);
    this.counts.syncs += 1;
    if (this.syncs) this.#durable = new Map(this.#names);
  }

  async space(): Promise<{ readonly freeBytes: number; readonly totalBytes: number }> {
    this.#assertOn(this.#life);
    return { freeBytes: this.freeBytes, totalBytes: this.totalBytes };
  }

  /** The power goes and comes back; `random` decides what of the unsynced is still there. */
  cutPower(random: () => number): void {
    this.#life += 1;
    this.#isOff = false;
    this.stepsUntilCut = Number.POSITIVE_INFINITY;
    const possibleContents = new Map<string, Inode>();
    for (const name of new Set([...this.#durable.keys(), ...this.#names.keys()])) {
      const [before, after] = [this.#durable.get(name), this.#names.get(name)];
      const inode = before === after || random() < 0.5 ? after : before;
      if (!inode) continue;
      const bytes = torn(inode, random);
      possibleContents.set(name, { bytes, synced: bytes });
    }
    this.#names = possibleContents;
    this.#durable = new Map(possibleContents);
  }

  /** The bytes of a file, to be damaged by a test. */
  bytesOf(name: string): Buffer {
    return this.#inode(name).bytes;
  }

  /** Puts a durable file there. */
  store(name: string, bytes: Buffer): void {
    const inode = { bytes, synced: bytes };
    this.#names.set(name, inode);
    this.#durable.set(name, inode);
  }

  /** The power has failed and is not back. */
  get isOff(): boolean {
    return this.#isOff;
  }

  get names(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  #write(life: number, inode: Inode, bytes: Buffer, position: number): void {
    this.#step(life);
    if (this.broken.write) throw failure('EIO');
    const others =
      [...this.#names.values()].reduce((sum, each) => sum + each.bytes.length, 0) - inode.bytes.length;
    const end = Math.min(position + bytes.length, Math.max(inode.bytes.length, this.capacityBytes - others));
    const grown = Buffer.alloc(Math.max(inode.bytes.length, end));
    inode.bytes.copy(grown);
    bytes.copy(grown, position, 0, end - position);
    inode.bytes = grown;
    if (end < position + bytes.length) throw failure('ENOSPC');
    this.#assertOn(life);
    this.counts.writes += 1;
    this.counts.writtenBytes += bytes.length;
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (!inode) throw failure('ENOENT');
    return inode;
  }

  #step(life: number): void {
    this.#assertOn(life);
    this.stepsUntilCut -= 1;
    if (this.stepsUntilCut < 0) this.#isOff = true;
  }

  #assertOn(life: number): void {
    if (this.#isOff || life !== this.#life) throw failure('ENODEV');
  }
}

function torn({ bytes, synced }: Inode, random: () => number): Buffer {
  if (bytes.equals(synced)) return synced;
  const afterPowerCut = Buffer.alloc(random() < 0.5 ? Math.max(synced.length, bytes.length) : synced.length);
  synced.copy(afterPowerCut);
  for (let at = 0; at < afterPowerCut.length; at += SECTOR_BYTES) {
    if (random() < 0.5) bytes.copy(afterPowerCut, at, at, Math.min(at + SECTOR_BYTES, afterPowerCut.length));
  }
  return afterPowerCut;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: a double says so`), { code });
}
