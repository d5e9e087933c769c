/**
 * What `firstlight sample` reads: this host, or with `--root` another one, which is a capture (unpacked, or its
 * archive) or a system mounted below a directory. Of another root only files are read; what only the running
 * host knows is left out, and its time is that of its own /proc/uptime, which stands still in a capture.
 */

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { EX_FAILED, EX_NOINPUT } from '../../app/exit-codes.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type HostFiles, openHostFiles } from '../../sensors/files/host-files.ts';
import { openDirectoryFiles } from '../../sensors/files/tree-files.ts';
import { ARCHIVE_BYTES_MAX, openCaptureArchive } from './capture-archive.ts';

export interface SampledRoot {
  readonly hostFiles: HostFiles;
  /** Its monotonic time is the uptime of the root; 0 without one. */
  readonly clock: Clock;
  /** False: this host. */
  readonly isOther: boolean;
  /** Whether it has files of the kernel: without them only custom file sensors can be read. */
  readonly hasKernelFiles: boolean;
}

export type OpenedRoot =
  | { readonly ok: true; readonly root: SampledRoot }
  /** A sentence, and the exit code. */
  | { readonly ok: false; readonly problem: string; readonly code: number };

const REMEDY =
  'give the archive that capture-host.sh wrote, the directory it was unpacked to, or a mounted system';

export function openRoot(path: string | undefined, clock: Clock): OpenedRoot {
  try {
    const realPath = realpathSync(path ?? '/');
    if (path === undefined || realPath === '/') return { ok: true, root: thisHost(clock) };
    const hostFiles = statSync(realPath).isDirectory() ? openDirectory(realPath) : openArchive(realPath);
    if (hostFiles === undefined)
      return {
        ok: false,
        problem: `${path} is no complete archive of a capture: ${REMEDY}`,
        code: EX_FAILED,
      };
    return { ok: true, root: otherRoot(hostFiles, clock) };
  } catch (error) {
    return unreadable(path ?? '/', error);
  }
}

/** For a root without a file of the kernel, of which nothing can be read. */
export function emptyRootProblem(path: string): string {
  return `${path} has no files in proc and sys, as a system that is not running: ${REMEDY}`;
}

function thisHost(clock: Clock): SampledRoot {
  return { hostFiles: openHostFiles('/'), clock, isOther: false, hasKernelFiles: true };
}

function otherRoot(hostFiles: HostFiles, clock: Clock): SampledRoot {
  const hasKernelFiles = ['proc', 'sys'].some(
    (folder) => hostFiles.has(folder) && !isEmpty(hostFiles, folder),
  );
  return { hostFiles, clock: uptimeClock(hostFiles, clock), isOther: true, hasKernelFiles };
}

function isEmpty(hostFiles: HostFiles, folder: string): boolean {
  try {
    return hostFiles.list(folder).length === 0;
  } catch {
    return true;
  }
}

/** Throws if the directory cannot be listed. */
function openDirectory(path: string): HostFiles {
  readdirSync(path);
  return openDirectoryFiles(path);
}

function openArchive(path: string): HostFiles | undefined {
  const stats = statSync(path);
  if (!stats.isFile() || stats.size > ARCHIVE_BYTES_MAX) return undefined;
  return openCaptureArchive(readFileSync(path));
}

function uptimeClock(hostFiles: HostFiles, clock: Clock): Clock {
  return {
    bootId: clock.bootId,
    wallMs: () => clock.wallMs(),
    bootMs: () => clock.bootMs(),
    monotonicMs: () => uptimeMs(hostFiles) ?? 0,
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

function uptimeMs(hostFiles: HostFiles): number | undefined {
  try {
    const [, seconds] = /^(\d+(?:\.\d+)?) /.exec(hostFiles.read('proc/uptime')) ?? [];
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  } catch {
    return undefined;
  }
}

function unreadable(path: string, error: unknown): OpenedRoot {
  const code = errorCode(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { ok: false, problem: `${path} does not exist: ${REMEDY}`, code: EX_NOINPUT };
    case 'EACCES':
    case 'EPERM':
      return {
        ok: false,
        problem: `${path} belongs to another user and cannot be read: run the command as that user, or copy the capture`,
        code: EX_NOINPUT,
      };
    default:
      return {
        ok: false,
        problem: `${path} cannot be read (${code ?? String(error)}): ${REMEDY}`,
        code: EX_NOINPUT,
      };
  }
}
