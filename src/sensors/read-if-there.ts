/**
 * Reads what a host may not have. What is not there, and what a driver says it has no value for at present, is undefined; an
 * error that means something is wrong, such as EIO, is thrown as it comes.
 */

import type { Tree } from './tree.ts';

/** EINVAL: a property that only a link that is up has. EOPNOTSUPP: built into the kernel and not switched on. */
const ABSENT: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENODEV',
  'ENXIO',
  'EAGAIN',
  'ENODATA',
  'EINVAL',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

/** The text of the file, trimmed. */
export function readIfThere(tree: Tree, path: string, bytesMax?: number): string | undefined {
  try {
    return tree.read(path, bytesMax).trim();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** The names in the directory; none when there is no such directory. */
export function listIfThere(tree: Tree, path: string): readonly string[] {
  try {
    return tree.list(path);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

export function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ABSENT.has(String(error.code));
}
