/**
 * A disk in memory that can lose power or fail at any operation.
 *
 * As on a real disk, the data of `create` and `overwrite` is durable when they return, but a name only after
 * a sync of its directory. `afterPowerCut` returns the state after the power returns: for each directory
 * either the names of the last sync or the current ones. The interrupted operation is done by half if it has
 * halves.
 */

import { dirname } from 'node:path';
import type { Disk, FileInfo } from '../../../src/image/disk.ts';

interface Inode {
  bytes: Buffer;
  readonly mode: number;
  readonly changedMs: number;
  readonly id: string;
}

export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** The fault at the operation with the number `at`, from 1. */
export interface Fault {
  readonly at: number;
  /** A power cut, or an error code; `isPermanent`: all later operations fail, too. */
  readonly is:
    | 'cut before'
    | 'cut amid'
    | { readonly code: string; readonly isPermanent: boolean; readonly below?: string };
}

const SECTOR_BYTES = 512;

export class PowerCutImportDisk implements Disk {
  /** Names of the operations that change something, in order. */
  readonly operations: string[] = [];
  #names: Map<string, Inode>;
  #durable: Map<string, Inode>;
  #fault: Fault | undefined;
  #inodes = 0;

  constructor(files: ReadonlyMap<string, Inode> = new Map(), fault?: Fault) {
    this.#names = new Map(files);
    this.#durable = new Map(files);
    this.#fault = fault;
  }

  /** Adds a durable file. */
  put(path: string, text: string, mode = 0o644): this {
    const inode = { bytes: Buffer.from(text), mode, changedMs: 1_700_000_000_000, id: `first ${path}` };
    this.#names.set(path, inode);
    this.#durable.set(path, inode);
    return this;
  }

  text(path: string): string | undefined {
    return this.#names.get(path)?.bytes.toString();
  }

  mode(path: string): number | undefined {
    return this.#names.get(path)?.mode;
  }

  get paths(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  with(fault: Fault): PowerCutImportDisk {
    return new PowerCutImportDisk(copyFiles(this.#names), fault);
  }

  /** `losing`: directories whose names since the last sync are lost. */
  afterPowerCut(losing: (directory: string) => boolean): PowerCutImportDisk {
    const files = new Map<string, Inode>();
    for (const [path, inode] of this.#durable) if (losing(dirname(path))) files.set(path, inode);
    for (const [path, inode] of this.#names) if (!losing(dirname(path))) files.set(path, inode);
    return new PowerCutImportDisk(copyFiles(files));
  }

  stat(path: string): FileInfo | undefined {
    const inode = this.#names.get(path);
    if (inode === undefined) return undefined;
    const { bytes, mode, changedMs, id } = inode;
    return { is: 'file', bytes: bytes.length, mode, changedMs, id };
  }

  list(directory: string): readonly string[] {
    return this.paths
      .filter((path) => dirname(path) === directory)
      .map((path) => path.slice(directory.length + 1));
  }

  read(path: string, bytesMax: number): Buffer {
    return Buffer.from(this.#inode(path).bytes.subarray(0, bytesMax));
  }

  create(path: string, bytes: Buffer, mode: number): void {
    const inode = {
      bytes: Buffer.alloc(0),
      mode,
      changedMs: 1_800_000_000_000,
      id: `inode ${++this.#inodes}`,
    };
    this.#step(`create ${path}`, path, () => {
      this.#names.set(path, inode);
      inode.bytes = Buffer.from(bytes.subarray(0, bytes.length / 2));
    });
    inode.bytes = Buffer.from(bytes);
  }

  overwrite(path: string, bytes: Buffer, position: number): void {
    const inode = this.#inode(path);
    const put = (part: Buffer) => part.copy(inode.bytes, position);
    // A sector is written completely or not at all.
    this.#step(`overwrite ${path}`, path, () => {
      if (bytes.length > SECTOR_BYTES) put(bytes.subarray(0, SECTOR_BYTES));
    });
    put(bytes);
  }

  link(path: string, second: string): void {
    if (this.#names.has(second)) throw failure('EEXIST');
    this.#step(`link ${second}`, second);
    this.#names.set(second, this.#inode(path));
  }

  rename(from: string, to: string): void {
    const inode = this.#inode(from);
    this.#step(`rename ${to}`, to);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  remove(path: string): void {
    if (!this.#names.has(path)) return;
    this.#step(`remove ${path}`, path);
    this.#names.delete(path);
  }

  makeDirectory(): void {}

  sync(directory: string): void {
    this.#step(`sync ${directory}`, `${directory}/.`);
    for (const path of this.#durable.keys()) if (dirname(path) === directory) this.#durable.delete(path);
    for (const [path, inode] of this.#names) if (dirname(path) === directory) this.#durable.set(path, inode);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  }

  #step(name: string, path: string, half: () => void = () => {}): void {
    this.operations.push(name);
    const fault = this.#fault;
    if (fault === undefined) return half();
    const { at, is } = fault;
    const now = this.operations.length;
    if (typeof is === 'string') {
      if (now > at) throw new PowerCut();
      if (now === at && is === 'cut before') throw new PowerCut();
      half();
      if (now === at) throw new PowerCut();
      return;
    }
    const isAffected = is.below === undefined || path.startsWith(is.below);
    if (isAffected && (now === at || (is.isPermanent && now > at))) throw failure(is.code);
    half();
  }
}

/** Copies the inodes, too, so that two disks do not share data. */
function copyFiles(files: ReadonlyMap<string, Inode>): Map<string, Inode> {
  const inodes = new Map<Inode, Inode>();
  for (const inode of files.values()) inodes.set(inode, { ...inode, bytes: Buffer.from(inode.bytes) });
  return new Map([...files].map(([path, inode]) => [path, inodes.get(inode) ?? inode]));
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
