/**
 * Reads what a host may not have. What is not there, and what a driver says it has no value for at present, is undefined; an
 * error that means something is wrong, such as EIO, is thrown as it comes.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { HostFiles } from './host-files.ts';
import { splitLines } from './parse.ts';

/** EINVAL: a property that only a link that is up has. EOPNOTSUPP: built into the kernel and not switched on. */
const ABSENT_CODES: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENODEV',
  'ENXIO',
  'ENODATA',
  'EINVAL',
  'EAGAIN',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

/** A file of one value, as in /sys: its text, trimmed. */
export function readOptional(hostFiles: HostFiles, path: string): string | undefined {
  return readOrDefault(() => hostFiles.read(path).trim(), undefined);
}

/** A file of /proc, as whole lines; none when it is empty. */
export function readOptionalLines(hostFiles: HostFiles, path: string): readonly string[] | undefined {
  const text = readOrDefault(() => hostFiles.read(path), undefined);
  if (text === undefined) return undefined;
  return text === '' ? [] : splitLines(text, path);
}

/** The names in the directory; none when there is no such directory. */
export function listOptional(hostFiles: HostFiles, path: string): readonly string[] {
  return readOrDefault(() => hostFiles.list(path), []);
}

/** What `read` gives, or `otherwise` when what it reads is not there. */
export function readOrDefault<T, Fallback>(read: () => T, fallback: Fallback): T | Fallback {
  try {
    return read();
  } catch (error) {
    if (isAbsentError(error)) return fallback;
    throw error;
  }
}

export function isAbsentError(error: unknown): boolean {
  return ABSENT_CODES.has(errorCode(error) ?? '');
}
