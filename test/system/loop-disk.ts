/**
 * An ext4 file system of its own in a file, whose power can be cut: after `cut` nothing more reaches the image, not even what the kernel still
 * holds in memory, and `remount` shows what a gateway would find after its power came back.
 *
 * The mount options take away what hides a missing sync: noauto_da_alloc switches off the flush on rename, commit=300 the journal's
 * own flush every 5 s. Needs root and loop devices. Its mount and loop device go away with it, also when the tests end early.
 */

import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const IMAGE_MIB = 64;
/** How long a busy mount is waited for. */
const UNMOUNT_WITHIN_MS = 15_000;
/**
 * And a loop device that is still held: a container that starts on this machine meanwhile takes a copy of the mount with it, and keeps it
 * for as long as it likes.
 */
const RELEASE_WITHIN_MS = 5_000;

/** Why this machine cannot do it, found by doing it; undefined when it can. */
export async function whyNoLoopDisk(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting a loop image needs root';
  const directory = await mkdtemp(join(tmpdir(), 'firstlight-system-'));
  try {
    await using disk = await LoopDisk.make(join(directory, 'probe'), UNFORGIVING);
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
 * Blocks of 4 KiB as on a card, for so small an image mkfs would choose 1 KiB, and a quarter of the writes; nothing set aside for root, who
 * would not feel a full disk; and not "lazy", or the kernel would go on formatting behind the measurement.
 */
const FORMAT = ['-q', '-F', '-b', '4096', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];

/** Hides nothing: only what was synced is there after a cut. */
export const UNFORGIVING = 'noauto_da_alloc,commit=300';
/** As a distribution mounts it. */
export const USUAL = 'defaults';

export class LoopDisk implements AsyncDisposable {
  /** The mount point. */
  readonly path: string;
  #image: string;
  readonly #options: string;
  readonly #letGoAtExit = () => {
    spawnSync('umount', ['-l', this.path], { stdio: 'ignore' });
  };
  #mounted = false;

  /** `directory` is made; it must not exist. */
  static async make(directory: string, options: string, sizeMib = IMAGE_MIB): Promise<LoopDisk> {
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

  /** From here on every write fails, and nothing that was not synced reaches the image. */
  async cut(): Promise<void> {
    await run('xfs_io', ['-x', '-c', 'shutdown', this.path]);
  }

  /** Without unmounting: `ro`, as after a fault, or `rw`. */
  async become(mode: 'ro' | 'rw'): Promise<void> {
    await run('mount', ['-o', `remount,${mode}`, this.path]);
  }

  /** Whoever wrote on it must be gone. */
  async remount(): Promise<void> {
    const isReleased = await this.#unmount();
    if (!isReleased) {
      // The next mount would be given the file system that was shut down. The image holds what survived, and so does its copy.
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
    if (this.#mounted) await this.#unmount();
  }

  async #mount(): Promise<void> {
    // Two mounts at the same instant may be given the same free loop device, and one of them then fails.
    await patiently(`mount ${this.#image}`, () =>
      run('mount', ['-o', `loop,${this.#options}`, this.#image, this.path]),
    );
    this.#mounted = true;
    // In front of whoever removes the directories.
    process.prependOnceListener('exit', this.#letGoAtExit);
  }

  /** Whether its loop device is free again as well. */
  async #unmount(): Promise<boolean> {
    await patiently(`unmount ${this.path}`, () => run('umount', [this.path]));
    this.#mounted = false;
    process.removeListener('exit', this.#letGoAtExit);
    const deadlineMs = performance.now() + RELEASE_WITHIN_MS;
    while ((await this.device()) !== '') {
      if (performance.now() > deadlineMs) return false;
      await sleep(20);
    }
    return true;
  }
}

/** Tries until it is done; a mount may be busy for a moment after its user is gone. */
async function patiently(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + UNMOUNT_WITHIN_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw new Error(`could not ${what}`, { cause: error });
    }
    await sleep(20);
  }
}
