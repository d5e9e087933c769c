/**
 * The copyright file of the bundle, in Debian's machine-readable format 1.0: the libraries in it, their authors, and the text of
 * every licence.
 *
 * The libraries come from esbuild's metafile, so that none is forgotten; one without a licence text stops the bundling. Texts
 * that differ only in the copyright holder are printed once.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const HEAD = `\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: firstlight
`;
const LIBRARIES = `\
Comment: firstlight.mjs and code/ are made of the sources of Firstlight and of the
 libraries below, each named by its directory in the source tree.
`;

/** `metafile` is esbuild's, undefined for a program without libraries; `root` the source tree it was made in. */
export function renderCopyright(metafile, root) {
  const own = readFileSync(join(root, 'LICENSE'), 'utf8');
  const names = metafile === undefined ? [] : namesIn(metafile);
  const all = [{ files: '*', id: 'MIT', ...parts(own) }, ...names.map((name) => library(name, root))];
  const texts = new Map();
  const stanzas = all.map(({ files, id, holders, text }) => {
    const label = labelOf({ id, text }, texts);
    return `Files: ${files}\nCopyright: ${holders.join('\n ')}\nLicense: ${label}\n`;
  });
  const licences = [...texts.values()].map(({ label, text }) => `License: ${label}\n${indented(text)}\n`);
  const head = names.length > 0 ? HEAD + LIBRARIES : HEAD;
  return [head, ...stanzas, ...licences].join('\n');
}

function namesIn(metafile) {
  const names = new Set();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
      if (name !== undefined && bytesInOutput > 0) names.add(name);
    }
  }
  return [...names].sort();
}

function library(name, root) {
  const directory = join(root, 'node_modules', name);
  const { license, author } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((each) => /^(licen[cs]e|copying)(\.|$)/i.test(each));
  if (file === undefined || typeof license !== 'string') throw new Error(`${name} has no licence file`);
  const { holders, text } = parts(readFileSync(join(directory, file), 'utf8'));
  const named = holders.length > 0 ? holders : [author?.name ?? author ?? `the authors of ${name}`];
  return { files: `node_modules/${name}/*`, id: license, holders: named, text };
}

/** The copyright holders, and the text without them and without its title. */
function parts(licence) {
  const lines = licence.split(/\r?\n/).map((line) => line.trim());
  const isHolder = (line) => /^copyright (\(c\)|©|\d)/i.test(line);
  const isTitle = (line) => /^([=-]+|#* ?\(?(the )?(mit|isc) licen[cs]e\)?( \(mit\))?)$/i.test(line);
  return {
    holders: lines.filter(isHolder).map((line) => line.replace(/^copyright (\(c\) |© )?/i, '')),
    text: lines
      .filter((line) => !isHolder(line) && !isTitle(line))
      .join('\n')
      .trim(),
  };
}

/** Expat (Debian's name of MIT) for the first text of that name, Expat-2 for a different one. */
function labelOf({ id, text }, texts) {
  const name = id === 'MIT' ? 'Expat' : id;
  // Line breaks, quotation marks and stars do not make a different licence.
  const key = `${name} ${text.toLowerCase().replace(/[^a-z0-9]+/g, ' ')}`;
  const known = texts.get(key);
  if (known !== undefined) return known.label;
  const earlier = [...texts.values()].filter((each) => each.name === name).length;
  const label = earlier === 0 ? name : `${name}-${earlier + 1}`;
  texts.set(key, { name, label, text });
  return label;
}

function indented(text) {
  return text
    .replace(/\n{3,}/g, '\n\n')
    .split('\n')
    .map((line) => (line === '' ? ' .' : ` ${line}`))
    .join('\n');
}
