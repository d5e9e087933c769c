/**
 * A captured host in memory with one damaged file: `HostFiles` that fulfil test/contracts/host-files.ts, and
 * do what a disk cannot show to root: deny access to a file, or fail with an I/O error.
 *
 * It is read from the disk once, so that thousands of damages take seconds. `moved` changes the text of a
 * file in each round, so that rates and utilisation have values.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystemUsage, HostFiles } from '../../src/sensors/files/host-files.ts';

export type Damage =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'missing' }
  | { readonly type: 'directory' }
  | { readonly type: 'error'; readonly code: 'EACCES' | 'EIO' };

type HostNode =
  | { readonly type: 'file'; readonly text: string }
  | { readonly type: 'directory'; readonly names: readonly string[] }
  | { readonly type: 'link'; readonly target: string };

/** The limit of Linux: more links are a loop. */
const LINKS_MAX = 40;
const FILE_BYTES_MAX = 64 * 1024;
const SLOW_BYTES_MAX = 512;
const USE: FileSystemUsage = {
  bsize: 4096,
  blocks: 1_000_000,
  bfree: 600_000,
  bavail: 550_000,
  files: 250_000,
  ffree: 200_000,
};

/** The target of a path, after all symbolic links. */
export interface Location {
  /** Relative to the root, without links. */
  readonly path: string;
  readonly node: HostNode;
}

export class DamagedHostFiles {
  readonly #nodes = new Map<string, HostNode>();
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.#load('');
  }

  /** Every file, by its path without links. */
  get files(): ReadonlyMap<string, string> {
    const files = [...this.#nodes].flatMap(([path, node]) =>
      node.type === 'file' ? [[path, node.text] as const] : [],
    );
    return new Map(files);
  }

  /**
   * `moved`: returns the text of a file for its captured text. `damagedFile`: the path of a file, without
   * links, and its damage for its text.
   */
  hostFiles(
    moved: (path: string, text: string) => string,
    damagedFile?: { path: string; damage: (text: string) => Damage | undefined },
  ): HostFiles {
    const damageAt = (path: string): Damage | undefined => {
      const node = path === damagedFile?.path ? this.#nodes.get(path) : undefined;
      return node?.type === 'file' ? damagedFile?.damage(moved(path, node.text)) : undefined;
    };
    const nodeAt = (path: string): HostNode | undefined => {
      const damage = damageAt(path);
      if (damage?.type === 'missing') return undefined;
      if (damage?.type === 'directory') return { type: 'directory', names: [] };
      const node = this.#nodes.get(path);
      if (node?.type !== 'file') return node;
      return { type: 'file', text: damage?.type === 'text' ? damage.text : moved(path, node.text) };
    };
    const errorAt = (path: string): string | undefined => {
      const damage = damageAt(path);
      return damage?.type === 'error' ? damage.code : undefined;
    };
    const textAt = (path: string): string => {
      const target = resolvePath(nodeAt, path);
      const errorCode = errorAt(target.path);
      if (errorCode !== undefined) throw systemError(errorCode, path);
      if (target.node.type !== 'file') throw systemError('EISDIR', path);
      return target.node.text;
    };
    return {
      read: (path, bytesMax = FILE_BYTES_MAX) => {
        const text = textAt(path);
        const limit = Math.min(bytesMax, FILE_BYTES_MAX);
        return text.length < limit ? text : text.slice(0, text.lastIndexOf('\n', limit - 1) + 1);
      },
      readBlocking: async (path) => textAt(path).slice(0, SLOW_BYTES_MAX),
      firstLine: async (path) => textAt(path).split('\n', 1)[0] ?? '',
      list: (path) => {
        const { path: real, node } = resolvePath(nodeAt, path);
        if (node.type !== 'directory') throw systemError('ENOTDIR', path);
        return node.names.filter((name) => nodeAt(joinPath(real, name)) !== undefined);
      },
      has: (path) => {
        try {
          resolvePath(nodeAt, path);
          return true;
        } catch {
          return false;
        }
      },
      readLink: (path) => {
        const { node } = resolvePath(nodeAt, path, { following: false });
        if (node.type !== 'link') throw systemError('EINVAL', path);
        return node.target;
      },
      usage: async () => USE,
    };
  }

  /** The target of a path in the undamaged host; undefined if there is none. */
  resolve(path: string): Location | undefined {
    try {
      return resolvePath((each) => this.#nodes.get(each), path);
    } catch {
      return undefined;
    }
  }

  #load(path: string): void {
    const entries = readdirSync(join(this.#root, path), { withFileTypes: true });
    this.#nodes.set(path, { type: 'directory', names: entries.map(({ name }) => name).toSorted() });
    for (const entry of entries) {
      const below = joinPath(path, entry.name);
      const file = join(this.#root, below);
      if (entry.isDirectory()) this.#load(below);
      else if (entry.isSymbolicLink()) this.#nodes.set(below, { type: 'link', target: readlinkSync(file) });
      else this.#nodes.set(below, { type: 'file', text: readFileSync(file, 'latin1') });
    }
  }
}

function resolvePath(
  nodeAt: (path: string) => HostNode | undefined,
  requestedPath: string,
  { following = true }: { following?: boolean } = {},
): Location {
  let currentPath = '';
  let links = 0;
  const rest = requestedPath.split('/').filter((part) => part !== '');
  for (;;) {
    const part = rest.shift();
    if (part === undefined) break;
    if (part === '.') continue;
    if (part === '..') {
      currentPath = currentPath.slice(0, Math.max(0, currentPath.lastIndexOf('/')));
      continue;
    }
    if (nodeAt(currentPath)?.type !== 'directory') throw systemError('ENOTDIR', requestedPath);
    const next = joinPath(currentPath, part);
    const node = nodeAt(next);
    if (node === undefined) throw systemError('ENOENT', requestedPath);
    if (node.type !== 'link' || (rest.length === 0 && !following)) {
      currentPath = next;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw systemError('ELOOP', requestedPath);
    if (node.target.startsWith('/')) currentPath = '';
    rest.unshift(...node.target.split('/').filter((each) => each !== ''));
  }
  const node = nodeAt(currentPath);
  if (node === undefined) throw systemError('ENOENT', requestedPath);
  return { path: currentPath, node };
}

function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
