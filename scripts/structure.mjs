/**
 * `npm run structure`: prints the figures of the structure that docs/development.md states, each with its bound; exits with 1 if
 * one is over it. test/architecture.test.ts holds who may import whom.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

const SMALL_FILE_LINES = 35;
/** One file in eight: more would be splinters. */
const SMALL_FILES_SHARE = 1 / 8;

prepare();
const { circlesOf, folderOf, graphOf, importsOf, readSources, testPathsIn } = await import(
  join(root, 'dist', 'test', 'import-graph.js')
);
const source = join(root, 'src');
const sources = readSources(source);
const imports = importsOf(source, sources);
const readme = readFileSync(join(root, 'README.md'));

const figures = [
  ['files in the largest folder of src/', largestFolder(sources.map(({ path }) => path)), 22],
  ['files in the largest folder of test/', largestFolder(testPathsIn(join(root, 'test'))), 22],
  ['import circles between files', circlesOf(graphOf(imports)).length, 0],
  ['import circles between folders', circlesOf(graphOf(imports, folderOf)).length, 0],
  [
    `files of ${SMALL_FILE_LINES} lines or fewer in src/`,
    sources.filter(({ lines }) => lines <= SMALL_FILE_LINES).length,
    Math.floor(sources.length * SMALL_FILES_SHARE),
  ],
  ['lines of the longest file in src/', Math.max(...sources.map(({ lines }) => lines)), 300],
  ['lines of README.md', readme.toString().trimEnd().split('\n').length, 200],
  ['bytes of README.md', readme.length, 14_336],
  ['files in src/', sources.length, undefined],
  ['lines in src/', sources.reduce((sum, { lines }) => sum + lines, 0), undefined],
];
for (const [name, value, max] of figures) {
  const verdict = max === undefined ? '' : value <= max ? `at most ${max}` : `OVER ${max}`;
  console.log(`${name.padEnd(42)} ${String(value).padStart(7)}   ${verdict}`.trimEnd());
  if (max !== undefined && value > max) process.exitCode = 1;
}

function largestFolder(paths) {
  const counts = new Map();
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return Math.max(...counts.values());
}
