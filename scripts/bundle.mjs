/**
 * `npm run bundle`: the whole program as one file, dist/firstlight.mjs, which needs Node and nothing beside
 * it (`npm run bundle -- --outfile <file>` puts it elsewhere).
 *
 * Beside it goes the copyright file, <name>.copyright: whoever passes the bundle on must pass on the licences of the
 * libraries in it.
 *
 * Made from the TypeScript sources, so it needs no other build first. Commands stay lazy inside the one file:
 * a module is evaluated when it is first imported. Names are kept, so that a stack from the field can be
 * read; spaces and comments are not, because V8 keeps the text in memory.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { diet } from './lib/bundle-diet.mjs';
import { renderCopyright } from './lib/bundle-licences.mjs';

const root = join(import.meta.dirname, '..');

const { values } = parseArgs({ options: { outfile: { type: 'string' } } });
const outfile = resolve(values.outfile ?? join(root, 'dist', 'firstlight.mjs'));

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile,
  write: false,
  metafile: true,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  plugins: [diet],
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: false,
  charset: 'ascii',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  // The CommonJS libraries ask for Node's modules with require, which an ES module does not have.
  banner: {
    js: `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
  },
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has told why
// One character beyond ASCII makes V8 keep the whole text at two bytes each; esbuild leaves those in regular
// expressions.
const text = outputFiles[0].text.replace(
  /(?<!\\)[^\0-\x7f]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
mkdirSync(dirname(outfile), { recursive: true });
writeFileSync(outfile, text, { mode: 0o755 });
writeFileSync(outfile.replace(/(\.mjs)?$/, '.copyright'), renderCopyright(metafile, root));
console.log(`${relative(process.cwd(), outfile)}: ${Math.round(text.length / 1000)} kB`);
