/**
 * Reads what a host may not have. What is not there, and what a driver says it has no value for at present, is undefined; an
 * error that means something is wrong, such as EIO, is thrown as it comes.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { Tree } from './host-files.ts';
import { wholeLines } from './parse.ts';

/** EINVAL: a property that only a link that is up has. EOPNOTSUPP: built into the kernel and not switched on. */
const ABSENT: ReadonlySet<string> = new Set([
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
export function readIfThere(tree: Tree, path: string): string | undefined {
  return unlessAbsent(() => tree.read(path).trim(), undefined);
}

/** A file of /proc, as whole lines; none when it is empty. */
export function linesIfThere(tree: Tree, path: string): readonly string[] | undefined {
  const text = unlessAbsent(() => tree.read(path), undefined);
  if (text === undefined) return undefined;
  return text === '' ? [] : wholeLines(text, path);
}

/** The names in the directory; none when there is no such directory. */
export function listIfThere(tree: Tree, path: string): readonly string[] {
  return unlessAbsent(() => tree.list(path), []);
}

/** What `read` gives, or `otherwise` when what it reads is not there. */
export function unlessAbsent<T, Otherwise>(read: () => T, otherwise: Otherwise): T | Otherwise {
  try {
    return read();
  } catch (error) {
    if (isAbsence(error)) return otherwise;
    throw error;
  }
}

export function isAbsence(error: unknown): boolean {
  return ABSENT.has(errorCode(error) ?? '');
}
