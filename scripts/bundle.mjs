/**
 * `npm run bundle`: the program as it is installed, which needs only Node: dist/firstlight.mjs and, in dist/code/, the parts it
 * loads when it needs them. Beside it the copyright file, <name>.copyright: the licences of the libraries must be passed on.
 * `-- --outfile FILE` writes it elsewhere, with code/ beside it; `--metafile FILE` writes esbuild's list of the contents.
 *
 * It needs no build. V8 keeps the text of all it has loaded, so the agent loads no file it does not use (bundle/parts.mjs) and
 * white space and comments are removed. Names are kept, for stacks from the field. Parts are named after their content, so that
 * a new version never loads a part of an older one.
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
  // As literals they are compiled once, and unused ones of a library are left out.
  supported: { 'regexp-unicode-property-escapes': true },
  plugins: [oneCommandsPart, diet],
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: false,
  charset: 'ascii',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has printed the reason

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

/** The parts of an earlier bundle here; other files are left alone. */
function earlierParts() {
  const code = join(outdir, 'code');
  return existsSync(code) ? readdirSync(code).filter((file) => /-[0-9A-Z]{8}\.mjs$/.test(file)) : [];
}

/** A single character beyond ASCII makes V8 store a whole text in two bytes each; esbuild leaves those in regular expressions. */
function inAscii(text) {
  return text.replace(
    /(?<!\\)[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The CommonJS libraries require Node's modules; an ES module has no require. esbuild collects that in one part. */
function withRequire(text) {
  if (!/\btypeof require\b/.test(text)) return text;
  return `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${text}`;
}
