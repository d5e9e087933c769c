/** The files of another root that is a directory: an unpacked capture, or a system mounted below it. */

import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type HostFiles, openHostFiles } from './host-files.ts';
import { openTreeFiles, type TreeNode } from './tree-files.ts';

export function openDirectoryFiles(root: string): HostFiles {
  const files = openHostFiles(root);
  return openTreeFiles({ ...files, node: (path) => nodeAt(join(root, path)) });
}

/** Undefined for a device or a socket: a capture has none, and opening one can start something. */
function nodeAt(path: string): TreeNode | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) return { type: 'link', target: readlinkSync(path) };
  if (stats.isDirectory()) return { type: 'directory' };
  return stats.isFile() || stats.isFIFO() ? { type: 'file' } : undefined;
}
