/**
 * Reads files that a host may not have. A missing file, or a driver without a value at present, gives
 * undefined; an error that reports a fault, such as EIO, is thrown.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { HostFiles } from './host-files.ts';
import { splitLines } from './parse.ts';

/** EINVAL: a property that only a link that is up has. EOPNOTSUPP: built into the kernel but not enabled. */
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

/** The trimmed text of a file with one value, as in /sys. */
export function readOptional(hostFiles: HostFiles, path: string): string | undefined {
  return readOrDefault(() => hostFiles.read(path).trim(), undefined);
}

/** The whole lines of a file of /proc. */
export function readOptionalLines(hostFiles: HostFiles, path: string): readonly string[] | undefined {
  const text = readOrDefault(() => hostFiles.read(path), undefined);
  if (text === undefined) return undefined;
  return text === '' ? [] : splitLines(text, path);
}

/** The names in a directory; none if it does not exist. */
export function listOptional(hostFiles: HostFiles, path: string): readonly string[] {
  return readOrDefault(() => hostFiles.list(path), []);
}

/** The result of `read`, or `fallback` if it fails because the file or value does not exist. */
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
