/**
 * `npm run bundle`: the program as it is installed, which needs Node and nothing beside it: dist/firstlight.mjs, which is
 * started, and in dist/code/ the parts of it that are loaded when they are needed. `npm run bundle -- --outfile <file>` puts it
 * elsewhere, code/ always beside it; `--metafile <file>` writes esbuild's account of what is where.
 *
 * Beside it goes the copyright file, <name>.copyright: whoever passes the bundle on must pass on the licences of the
 * libraries in it.
 *
 * Made from the TypeScript sources, so it needs no other build first. V8 keeps the text of whatever it has loaded, so the agent
 * loads no file of what it never does (bundle/parts.mjs), and spaces and comments are left out. Names are kept, so that a
 * stack from the field can be read. The parts are called by their content: a new version never loads one of an older.
 */

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { diet } from './bundle/diet.mjs';
import { renderCopyright } from './bundle/licences.mjs';
import { oneCommandsPart } from './bundle/parts.mjs';

const root = join(import.meta.dirname, '..');

const { values } = parseArgs({ options: { outfile: { type: 'string' }, metafile: { type: 'string' } } });
const outfile = resolve(values.outfile ?? join(root, 'dist', 'firstlight.mjs'));
const outdir = dirname(outfile);

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: { [basename(outfile, '.mjs')]: 'src/main.ts' },
  outdir,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'code/[name]-[hash]',
  splitting: true,
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // As literals they are compiled once, and those of a library that nobody uses are left out.
  supported: { 'regexp-unicode-property-escapes': true },
  plugins: [oneCommandsPart, diet],
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: false,
  charset: 'ascii',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has told why

for (const part of earlierParts()) rmSync(join(outdir, 'code', part));
let bytes = 0;
for (const { path, text } of outputFiles) {
  const written = withRequire(inAscii(text));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, written, { mode: path === outfile ? 0o755 : 0o644 });
  bytes += written.length;
}
writeFileSync(outfile.replace(/(\.mjs)?$/, '.copyright'), renderCopyright(metafile, root));
if (values.metafile !== undefined) writeFileSync(values.metafile, JSON.stringify(metafile));
console.log(
  `${relative(process.cwd(), outfile)}: ${Math.round(bytes / 1000)} kB in ${outputFiles.length} files`,
);

/** Of an earlier bundle at this place; what else is in there is somebody's. */
function earlierParts() {
  const code = join(outdir, 'code');
  return existsSync(code) ? readdirSync(code).filter((file) => /-[0-9A-Z]{8}\.mjs$/.test(file)) : [];
}

/**
 * One character beyond ASCII makes V8 keep a whole text at two bytes each; esbuild leaves those in regular
 * expressions.
 */
function inAscii(text) {
  return text.replace(
    /(?<!\\)[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * The CommonJS libraries ask for Node's modules with require, which an ES module does not have. esbuild gathers that in
 * one part.
 */
function withRequire(text) {
  if (!/\btypeof require\b/.test(text)) return text;
  return `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${text}`;
}
