/**
 * A whole root file system on an ext4 image of its own, whose power can be cut: after `cut` nothing more reaches the image, and `remount` shows what
 * the machine would find at its next boot.
 *
 * The mount options take away what hides a missing sync: noauto_da_alloc switches off the flush on rename, commit=300 the journal's own flush
 * every 5 s. No block is set aside for root, who would not feel a full disk.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freshName } from './cleanup.ts';
import { attempt, run } from './command.ts';
import { until } from './until.ts';

const UNFORGIVING = 'loop,noauto_da_alloc,commit=300';
const FORMAT = ['-q', '-F', '-b', '4096', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
const RELEASE_WITHIN_MS = 30_000;

export class PowerDisk implements AsyncDisposable {
  /** The mount point: the root directory of a machine. */
  readonly path: string;
  readonly #image: string;
  readonly #home: string;
  #isMounted = false;

  /** With the files of a directory on it. */
  static async make(place: string, files: string, sizeMib: number): Promise<PowerDisk> {
    const disk = await PowerDisk.#at(place);
    await run(['truncate', '-s', `${sizeMib}M`, disk.#image]);
    // mkfs copies the directory itself, which saves a mount.
    await run(['mkfs.ext4', ...FORMAT, '-d', files, disk.#image], 120_000);
    await disk.#mount();
    return disk;
  }

  static async #at(place: string): Promise<PowerDisk> {
    const disk = new PowerDisk(join(place, freshName()));
    await mkdir(disk.path, { recursive: true });
    return disk;
  }

  private constructor(home: string) {
    this.#home = home;
    this.path = join(home, 'root');
    this.#image = join(home, 'image');
  }

  /** Another disk with what is on this one; this one is at rest meanwhile. */
  async copy(place: string): Promise<PowerDisk> {
    const disk = await PowerDisk.#at(place);
    await this.#unmount();
    await run(['cp', '--sparse=always', this.#image, disk.#image], 120_000);
    await this.#mount();
    await disk.#mount();
    return disk;
  }

  /** From here on every write fails, and nothing that was not synced reaches the image. */
  async cut(): Promise<void> {
    await run(['xfs_io', '-x', '-c', 'shutdown', this.path]);
  }

  /** Whoever used it must be gone. */
  async remount(): Promise<void> {
    await this.#unmount();
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isMounted) await this.#unmount();
    await run(['rm', '-rf', this.#home]);
  }

  async #mount(): Promise<void> {
    // Two mounts at the same instant may be given the same free loop device, and one of them then fails.
    const mount = ['mount', '-o', UNFORGIVING, this.#image, this.path];
    if (!(await until(async () => (await attempt(mount)).code === 0, RELEASE_WITHIN_MS))) await run(mount);
    this.#isMounted = true;
  }

  async #unmount(): Promise<void> {
    const unmount = ['umount', this.path];
    if (!(await until(async () => (await attempt(unmount)).code === 0, RELEASE_WITHIN_MS)))
      await run(unmount);
    this.#isMounted = false;
    // A loop device still held would give the next mount the file system that was shut down.
    const released = async () =>
      (await run(['losetup', '-n', '-O', 'NAME', '-j', this.#image])).trim() === '';
    if (!(await until(released, RELEASE_WITHIN_MS)))
      throw new Error(`the loop device of ${this.#image} is not released`);
  }
}
