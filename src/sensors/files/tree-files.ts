/**
 * The files of another root, a directory or an archive. Nothing of this host is read through it: a symbolic
 * link, also an absolute one, leads to a path below that root, and what only the running host knows, such as
 * the use of a file system, is an error.
 */

import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadLane } from './blocking-reads.ts';
import { type HostFiles, openHostFiles } from './host-files.ts';

export type TreeNode =
  | { readonly type: 'file' }
  | { readonly type: 'directory' }
  | { readonly type: 'link'; readonly target: string };

/** Paths are relative to the root, `''` is the root, and none leads through a link. */
export interface FileTree {
  /** Undefined if there is nothing. Throws the error of the system call. */
  node(path: string): TreeNode | undefined;
  /** The other functions get a path of their kind; they read as those of HostFiles do. */
  read(path: string, bytesMax?: number): string;
  readBlocking(path: string, lane?: ReadLane): Promise<string>;
  firstLine(path: string): Promise<string>;
  list(path: string): readonly string[];
}

/** The limit of Linux: more links are a loop. */
const LINKS_MAX = 40;

/** `root`: the directory, an unpacked capture or a system that is mounted; not a link. */
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

export function openTreeFiles(tree: FileTree): HostFiles {
  const filePath = (path: string): string => {
    const { path: real, node } = resolve(tree, path);
    if (node.type !== 'file') throw systemError('EISDIR', path);
    return real;
  };
  return {
    read: (path, bytesMax) => tree.read(filePath(path), bytesMax),
    readBlocking: async (path, lane) => tree.readBlocking(filePath(path), lane),
    firstLine: async (path) => tree.firstLine(filePath(path)),
    list(path) {
      const { path: real, node } = resolve(tree, path);
      if (node.type !== 'directory') throw systemError('ENOTDIR', path);
      return tree.list(real);
    },
    has(path) {
      try {
        resolve(tree, path);
        return true;
      } catch {
        return false;
      }
    },
    readLink(path) {
      const { node } = resolve(tree, path, { isLastFollowed: false });
      if (node.type !== 'link') throw systemError('EINVAL', path);
      return node.target;
    },
    usage: async (path) => {
      throw systemError('ENOSYS', path);
    },
  };
}

/** The node at the end of all links, as a process would find it that has this root (path_resolution(7)). */
function resolve(
  tree: FileTree,
  requested: string,
  { isLastFollowed = true } = {},
): { readonly path: string; readonly node: TreeNode } {
  let path = '';
  let links = 0;
  const rest = segmentsOf(requested);
  for (let segment = rest.shift(); segment !== undefined; segment = rest.shift()) {
    if (segment === '..') {
      path = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      continue;
    }
    const folder = tree.node(path);
    if (folder?.type !== 'directory') throw systemError(folder ? 'ENOTDIR' : 'ENOENT', requested);
    const next = path === '' ? segment : `${path}/${segment}`;
    const node = tree.node(next);
    if (node === undefined) throw systemError('ENOENT', requested);
    if (node.type !== 'link' || (rest.length === 0 && !isLastFollowed)) {
      path = next;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw systemError('ELOOP', requested);
    const target = targetOf(next, node.target);
    if (target.startsWith('/')) path = '';
    rest.unshift(...segmentsOf(target));
  }
  const node = tree.node(path);
  if (node === undefined) throw systemError('ENOENT', requested);
  return { path, node };
}

/** In a live /proc this link means the reading process, whose network and mounts can be those of this host. */
function targetOf(link: string, target: string): string {
  return link === 'proc/self' ? '1' : target;
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.');
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: /${path.replace(/^\//, '')}`), { code });
}
