/**
 * A whole root file system on an ext4 image of its own, whose power can be cut: after `cut` no write reaches
 * the image, and `remount` shows what the machine would find at its next boot.
 *
 * The mount options remove what would hide a missing sync: noauto_da_alloc disables the flush on rename,
 * commit=300 the flush of the journal every 5 s. No block is reserved for root, who would not notice a full
 * disk.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isTrueWithin } from '../until.ts';
import { freshName } from './cleanup.ts';
import { attempt, run } from './command.ts';

const UNFORGIVING = 'loop,noauto_da_alloc,commit=300';
const FORMAT = ['-q', '-F', '-b', '4096', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
const RELEASE_WITHIN_MS = 60_000;

export class PowerDisk implements AsyncDisposable {
  /** The mount point: the root directory of a machine. */
  readonly path: string;
  readonly #image: string;
  readonly #home: string;
  #isMounted = false;

  /** Creates a disk that contains the files of a directory. */
  static async create(place: string, files: string, sizeMib: number): Promise<PowerDisk> {
    const disk = await PowerDisk.#at(place);
    await run(['truncate', '-s', `${sizeMib}M`, disk.#image]);
    // mkfs copies the directory, which saves a mount.
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

  /** A copy of this disk; this disk must not be in use meanwhile. */
  async copy(place: string): Promise<PowerDisk> {
    const disk = await PowerDisk.#at(place);
    await this.#unmount();
    await run(['cp', '--sparse=always', this.#image, disk.#image], 120_000);
    await this.#mount();
    await disk.#mount();
    return disk;
  }

  /** From now on every write fails, and data that was not synced does not reach the image. */
  async cut(): Promise<void> {
    await run(['xfs_io', '-x', '-c', 'shutdown', this.path]);
  }

  /** No process may use the disk. */
  async remount(): Promise<void> {
    await this.#unmount();
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A container that another scenario started meanwhile can hold the device until its own end; nothing is mounted here again.
    if (this.#isMounted) await this.#unmount({ mustRelease: false });
    await run(['rm', '-rf', this.#home]);
  }

  async #mount(): Promise<void> {
    // Two simultaneous mounts may get the same free loop device; then one of them fails.
    const mount = ['mount', '-o', UNFORGIVING, this.#image, this.path];
    if (!(await isTrueWithin(async () => (await attempt(mount)).code === 0, RELEASE_WITHIN_MS)))
      await run(mount);
    this.#isMounted = true;
  }

  async #unmount({ mustRelease = true } = {}): Promise<void> {
    const unmount = ['umount', this.path];
    if (!(await isTrueWithin(async () => (await attempt(unmount)).code === 0, RELEASE_WITHIN_MS)))
      await run(unmount);
    this.#isMounted = false;
    if (!mustRelease) return;
    // With a loop device that is still held, the next mount would get the file system that was shut down.
    const isReleased = async () =>
      (await run(['losetup', '-n', '-O', 'NAME', '-j', this.#image])).trim() === '';
    if (!(await isTrueWithin(isReleased, RELEASE_WITHIN_MS)))
      throw new Error(`the loop device of ${this.#image} is not released`);
  }
}
