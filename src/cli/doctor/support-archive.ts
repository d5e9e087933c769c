/**
 * The support bundle as a file: parts go into a private directory, through the redaction, and from there whole into a tar.gz.
 *
 * The archive is written beside its name, 0600, made durable and renamed, so that a power cut leaves it whole or not at all.
 * Bound: 10 MB; beyond it is refused, and nothing is written.
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

  /** Cleans what another program has put below `name`; what would name a secret by its path is taken away. */
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

  /** Files and links, as paths within. */
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

  /** What is no UTF-8 keeps its bytes. */
  async #cleanFile(path: string): Promise<void> {
    const bytes = await readFile(path);
    const encoding = Buffer.from(bytes.toString('utf8')).equals(bytes) ? 'utf8' : 'latin1';
    const text = bytes.toString(encoding);
    const cleaned = this.#redaction.clean(text);
    if (cleaned !== text) await writeFile(path, cleaned, encoding);
  }
}

/** The tar.gz of `directory`, its files below `title`; or a sentence without a subject on why there is none. */
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
      // A link's target is not the archive's to rename.
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

/** Rejects, and leaves nothing, where it cannot be written; what is there already is never replaced. */
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
  // Not every file system (a stick's) can.
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
