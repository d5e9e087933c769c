/**
 * A captured host in memory, one file of which is damaged: a `Tree` that passes the contract of the real one
 * (test/contracts/tree.ts), and does what a tree on a disk cannot show to root: refuse a file, or fail with an I/O error.
 *
 * It is read from the disk once, so that thousands of damages take seconds. It moves with time, too: `moved` says what a file
 * holds in a round, so that rates and use have values to lose.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { FileSystemUse, Tree } from '../../src/sensors/files/host-files.ts';

export type Damage =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'gone' }
  | { readonly is: 'directory' }
  | { readonly is: 'refused'; readonly code: 'EACCES' | 'EIO' };

type Node =
  | { readonly is: 'file'; readonly text: string }
  | { readonly is: 'directory'; readonly names: readonly string[] }
  | { readonly is: 'link'; readonly target: string };

/** As Linux: more links on one way are a circle. */
const LINKS_MAX = 40;
const FILE_BYTES_MAX = 64 * 1024;
const SLOW_BYTES_MAX = 512;
const USE: FileSystemUse = {
  bsize: 4096,
  blocks: 1_000_000,
  bfree: 600_000,
  bavail: 550_000,
  files: 250_000,
  ffree: 200_000,
};

/** What a path leads to, by way of any symbolic links. */
export interface Place {
  /** Below the root, without a link in it. */
  readonly path: string;
  readonly node: Node;
}

export class HostInMemory {
  readonly #nodes = new Map<string, Node>();
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.#load('');
  }

  /** Every file, by its path without links. */
  get files(): ReadonlyMap<string, string> {
    const files = [...this.#nodes].flatMap(([path, node]) =>
      node.is === 'file' ? [[path, node.text] as const] : [],
    );
    return new Map(files);
  }

  /**
   * `moved`: the text of a file, given what was captured. `damaged`: the path of a file, without links, and its damage, given the
   * text it would have.
   */
  tree(
    moved: (path: string, text: string) => string,
    damaged?: { path: string; damage: (text: string) => Damage | undefined },
  ): Tree {
    const damageAt = (path: string): Damage | undefined => {
      const node = path === damaged?.path ? this.#nodes.get(path) : undefined;
      return node?.is === 'file' ? damaged?.damage(moved(path, node.text)) : undefined;
    };
    const nodeAt = (path: string): Node | undefined => {
      const damage = damageAt(path);
      if (damage?.is === 'gone') return undefined;
      if (damage?.is === 'directory') return { is: 'directory', names: [] };
      const node = this.#nodes.get(path);
      if (node?.is !== 'file') return node;
      return { is: 'file', text: damage?.is === 'text' ? damage.text : moved(path, node.text) };
    };
    const refusalAt = (path: string): string | undefined => {
      const damage = damageAt(path);
      return damage?.is === 'refused' ? damage.code : undefined;
    };
    const textAt = (path: string): string => {
      const place = walk(nodeAt, path);
      const refused = refusalAt(place.path);
      if (refused !== undefined) throw failed(refused, path);
      if (place.node.is !== 'file') throw failed('EISDIR', path);
      return place.node.text;
    };
    return {
      read: (path, bytesMax = FILE_BYTES_MAX) => {
        const text = textAt(path);
        const limit = Math.min(bytesMax, FILE_BYTES_MAX);
        return text.length < limit ? text : text.slice(0, text.lastIndexOf('\n', limit - 1) + 1);
      },
      readSlowly: async (path) => textAt(path).slice(0, SLOW_BYTES_MAX),
      line: async (path) => textAt(path).split('\n', 1)[0] ?? '',
      list: (path) => {
        const { path: real, node } = walk(nodeAt, path);
        if (node.is !== 'directory') throw failed('ENOTDIR', path);
        return node.names.filter((name) => nodeAt(joined(real, name)) !== undefined);
      },
      has: (path) => {
        try {
          walk(nodeAt, path);
          return true;
        } catch {
          return false;
        }
      },
      link: (path) => {
        const { node } = walk(nodeAt, path, { following: false });
        if (node.is !== 'link') throw failed('EINVAL', path);
        return node.target;
      },
      use: async () => USE,
    };
  }

  /** Where a path leads in the undamaged host; undefined when it leads nowhere. */
  place(path: string): Place | undefined {
    try {
      return walk((each) => this.#nodes.get(each), path);
    } catch {
      return undefined;
    }
  }

  #load(path: string): void {
    const entries = readdirSync(join(this.#root, path), { withFileTypes: true });
    this.#nodes.set(path, { is: 'directory', names: entries.map(({ name }) => name).toSorted() });
    for (const entry of entries) {
      const below = joined(path, entry.name);
      const file = join(this.#root, below);
      if (entry.isDirectory()) this.#load(below);
      else if (entry.isSymbolicLink()) this.#nodes.set(below, { is: 'link', target: readlinkSync(file) });
      else this.#nodes.set(below, { is: 'file', text: readFileSync(file, 'latin1') });
    }
  }
}

function walk(
  nodeAt: (path: string) => Node | undefined,
  asked: string,
  { following = true }: { following?: boolean } = {},
): Place {
  let here = '';
  let links = 0;
  const rest = asked.split('/').filter((part) => part !== '');
  for (;;) {
    const part = rest.shift();
    if (part === undefined) break;
    if (part === '.') continue;
    if (part === '..') {
      here = here.slice(0, Math.max(0, here.lastIndexOf('/')));
      continue;
    }
    if (nodeAt(here)?.is !== 'directory') throw failed('ENOTDIR', asked);
    const next = joined(here, part);
    const node = nodeAt(next);
    if (node === undefined) throw failed('ENOENT', asked);
    if (node.is !== 'link' || (rest.length === 0 && !following)) {
      here = next;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw failed('ELOOP', asked);
    if (node.target.startsWith('/')) here = '';
    rest.unshift(...node.target.split('/').filter((each) => each !== ''));
  }
  const node = nodeAt(here);
  if (node === undefined) throw failed('ENOENT', asked);
  return { path: here, node };
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function failed(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
