/**
 * The import graph of src/: which file imports which, and the circles in it, between files and between
 * folders. And the list of the files of test/.
 *
 * Type imports count, because a reader follows them, too. `scripts/structure.mjs` prints its figures.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export interface Import {
  /** Path below src/, such as `core/session/machine.ts`. */
  readonly from: string;
  /** A path like `from`, or the name of a module. */
  readonly to: string;
}

export interface SourceFile {
  /** Path below src/. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g;

/** Every TypeScript file below `root`, in the order of its path. */
export function readSources(root: string): readonly SourceFile[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1 };
    });
}

/**
 * Every TypeScript file in a folder of `root`, which is test/. Without the fixtures: the links of captured hosts lead in circles.
 */
export function testPathsIn(root: string): readonly string[] {
  const rooms = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'fixtures',
  );
  return rooms.flatMap(({ name }) => readSources(join(root, name)).map(({ path }) => join(name, path)));
}

/** All imports, static and dynamic. */
export function importsOf(root: string, sources: readonly SourceFile[]): readonly Import[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(IMPORT)].map(([, to = '']) => ({
      from: path,
      to: to.startsWith('.') ? relative(root, resolve(root, path, '..', to)) : to,
    })),
  );
}

export function isSource(to: string): boolean {
  return to.endsWith('.ts');
}

/**
 * The graph of files, or of the folders that `name` returns for their paths, without edges from a node to
 * itself.
 */
export function graphOf(imports: readonly Import[], name: (path: string) => string = (path) => path): Graph {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (!isSource(to)) continue;
    const [start, end] = [name(from), name(to)];
    const targets = graph.get(start) ?? new Set();
    graph.set(start, targets);
    if (start !== end) targets.add(end);
  }
  return graph;
}

export const folderOf = (path: string): string => dirname(path);

/** Every group of nodes that can reach each other (Tarjan's strongly connected components of two or more). */
export function circlesOf(graph: Graph): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (node: string): number => {
    const order = index.size;
    index.set(node, order);
    let lowest = order;
    stack.push(node);
    for (const target of graph.get(node) ?? []) {
      if (!index.has(target)) lowest = Math.min(lowest, visit(target));
      else if (stack.includes(target)) lowest = Math.min(lowest, index.get(target) ?? lowest);
    }
    low.set(node, lowest);
    if (lowest === order) {
      const circle = stack.splice(stack.indexOf(node));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return lowest;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles;
}
