/**
 * An ext4 file system of its own in a file, whose power can be cut: after `cut` no write reaches the image,
 * not even data that the kernel still holds in memory, and `remount` shows what a gateway would find after a
 * power cut.
 *
 * Needs root and loop devices. Mount and loop device are removed even if the tests end early.
 */

import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IMAGE_MIB = 64;
/** How long a mount may stay busy. */
const UNMOUNT_WITHIN_MS = 15_000;
/**
 * How long a loop device may stay in use. A container that starts on this machine meanwhile takes a copy of
 * the mount with it and may keep it for long.
 */
const RELEASE_WITHIN_MS = 5_000;

/** Why this machine cannot do it, found by trying; undefined if it can. */
export async function loopDiskProblem(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting a loop image needs root';
  const directory = await mkdtemp(join(tmpdir(), 'firstlight-system-'));
  try {
    await using disk = await LoopDisk.create(join(directory, 'probe'), SYNCED_ONLY);
    await disk.cut();
    await disk.remount();
    return undefined;
  } catch (error) {
    const missing = error instanceof Error && 'path' in error ? ` (${String(error.path)} is missing?)` : '';
    const text = error instanceof Error ? error.message.split('\n').join(' ') : String(error);
    return `no loop device, ext4 or xfs_io here: ${text}${missing}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Blocks of 4 KiB as on an SD card (for so small an image mkfs would choose 1 KiB, and a quarter of the
 * writes); no blocks reserved for root, who would not notice a full disk; not lazy, or the kernel would
 * continue to format during the measurement.
 */
const FORMAT = ['-q', '-F', '-b', '4096', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];

/**
 * Only synced data survives a cut: noauto_da_alloc disables the flush on rename, commit=300 the flush of the
 * journal every 5 s, which would hide a missing sync.
 */
export const SYNCED_ONLY = 'noauto_da_alloc,commit=300';
/** The default mount options of a distribution. */
export const DEFAULTS = 'defaults';

export class LoopDisk implements AsyncDisposable {
  /** The mount point. */
  readonly path: string;
  #image: string;
  readonly #options: string;
  readonly #unmountAtExit = () => {
    spawnSync('umount', ['-l', this.path], { stdio: 'ignore' });
  };
  #isMounted = false;

  /** Creates `directory`, which must not exist. */
  static async create(directory: string, options: string, sizeMib = IMAGE_MIB): Promise<LoopDisk> {
    const disk = new LoopDisk(directory, options);
    await mkdir(disk.path, { recursive: true });
    await run('truncate', ['-s', `${sizeMib}M`, disk.#image]);
    await run('mkfs.ext4', [...FORMAT, disk.#image]);
    await disk.#mount();
    return disk;
  }

  private constructor(directory: string, options: string) {
    this.path = join(directory, 'mounted');
    this.#image = join(directory, 'image');
    this.#options = options;
  }

  /** From now on every write fails, and data that was not synced does not reach the image. */
  async cut(): Promise<void> {
    await run('xfs_io', ['-x', '-c', 'shutdown', this.path]);
  }

  /** Changes the mode without unmounting: `ro`, as after a fault, or `rw`. */
  async setMode(mode: 'ro' | 'rw'): Promise<void> {
    await run('mount', ['-o', `remount,${mode}`, this.path]);
  }

  /** No process may use the disk. */
  async remount(): Promise<void> {
    const isReleased = await this.#unmount();
    if (!isReleased) {
      // The next mount would get the file system that was shut down. A copy of the image holds the same
      // surviving data.
      const copy = `${this.#image}-again`;
      await run('cp', ['--sparse=always', this.#image, copy]);
      this.#image = copy;
    }
    await this.#mount();
  }

  /** `loop3`: its name in /proc/diskstats. */
  async device(): Promise<string> {
    const { stdout } = await run('losetup', ['-n', '-O', 'NAME', '-j', this.#image]);
    return stdout.trim().replace('/dev/', '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isMounted) await this.#unmount();
  }

  async #mount(): Promise<void> {
    // Two mounts at the same instant may be given the same free loop device, and one of them then fails.
    await retry(`mount ${this.#image}`, () =>
      run('mount', ['-o', `loop,${this.#options}`, this.#image, this.path]),
    );
    this.#isMounted = true;
    // Before the listeners that remove the directories.
    process.prependOnceListener('exit', this.#unmountAtExit);
  }

  /** Returns whether the loop device is free again, too. */
  async #unmount(): Promise<boolean> {
    await retry(`unmount ${this.path}`, () => run('umount', [this.path]));
    this.#isMounted = false;
    process.removeListener('exit', this.#unmountAtExit);
    const deadlineMs = performance.now() + RELEASE_WITHIN_MS;
    while ((await this.device()) !== '') {
      if (performance.now() > deadlineMs) return false;
      await sleep(20);
    }
    return true;
  }
}

/** Retries until it succeeds; a mount may be busy for a moment after its last process has ended. */
async function retry(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + UNMOUNT_WITHIN_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw new Error(`cannot ${what}`, { cause: error });
    }
    await sleep(20);
  }
}
