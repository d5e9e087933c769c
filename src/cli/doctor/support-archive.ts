/**
 * The support bundle as a file: its parts are redacted, collected in a private directory and packed into a tar.gz of at most 10 MB.
 * The archive has mode 0600 and appears atomically: after a power cut it is complete or absent.
 */

import { lstat, mkdtemp, open, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { Clock } from '../../core/ports/clock.ts';
import type { Redaction } from '../../host/log/redaction.ts';
import { DEFAULT_PATH, type ProgramResult, runProgram } from '../../host/process/run-program.ts';

export const BUNDLE_BYTES_MAX = 10_000_000;
const PACKING_MS = 120_000;
const PRIVATE = 0o600;

export class BundleDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #redaction: Redaction;

  static async make(redaction: Redaction): Promise<BundleDirectory> {
    return new BundleDirectory(await mkdtemp(join(tmpdir(), 'firstlight-bundle-')), redaction);
  }

  private constructor(path: string, redaction: Redaction) {
    this.path = path;
    this.#redaction = redaction;
  }

  async add(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), this.#redaction.clean(text), { mode: PRIVATE });
  }

  /** Redacts the files that another program wrote below `name`; removes files whose path contains a secret. */
  async cleanBelow(name: string): Promise<void> {
    const entries = await readdir(join(this.path, name), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const pathText = relative(this.path, path) + (entry.isSymbolicLink() ? await readlink(path) : '');
      if (this.#redaction.clean(pathText) !== pathText) await rm(path, { recursive: true, force: true });
      else if (entry.isFile()) await this.#cleanFile(path);
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { recursive: true, force: true });
  }

  /** Files and links, as relative paths. */
  async list(): Promise<readonly string[]> {
    const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(this.path, join(entry.parentPath, entry.name)))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /** A file that is not UTF-8 keeps its other bytes. */
  async #cleanFile(path: string): Promise<void> {
    const bytes = await readFile(path);
    const encoding = Buffer.from(bytes.toString('utf8')).equals(bytes) ? 'utf8' : 'latin1';
    const text = bytes.toString(encoding);
    const cleaned = this.#redaction.clean(text);
    if (cleaned !== text) await writeFile(path, cleaned, encoding);
  }
}

/** Packs `directory` into a tar.gz with its files below `title`. A problem is a sentence without its subject, `tar`. */
export function createArchive(
  directory: string,
  title: string,
  clock: Pick<Clock, 'sleep'>,
  signal: AbortSignal,
): Promise<ProgramResult> {
  const ownerOptions = ['--owner=0', '--group=0', '--numeric-owner'];
  return runProgram(
    {
      command: 'tar',
      // flags=rh: do not rename the targets of symbolic links.
      arguments: [
        ...ownerOptions,
        '-C',
        directory,
        `--transform=flags=rh;s|^\\.|${title}|`,
        '-czf',
        '-',
        '.',
      ],
      environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C' },
      deadlineMs: PACKING_MS,
      outputBytesMax: BUNDLE_BYTES_MAX,
      errorLine: 'last line',
    },
    clock,
    signal,
  );
}

/** Never replaces an existing file. Rejects and leaves nothing if it cannot be written. */
export async function writeArchive(file: string, bytes: Buffer): Promise<void> {
  if (await exists(file)) throw new Error(`${file} already exists: choose another name for the bundle`);
  const temporary = `${file}.${process.pid}.part`;
  try {
    const handle = await open(temporary, 'wx', PRIVATE);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const directory = await open(dirname(file), 'r');
  // Some file systems, such as FAT on a USB stick, cannot sync a directory.
  await directory.sync().catch(() => {});
  await directory.close();
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
