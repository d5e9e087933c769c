/**
 * Cuts the bundle into files: an esbuild plugin.
 *
 * Each module that is loaded with `await import` becomes a file, and so does what two of them share. The commands would cut the
 * code they share with the agent into dozens of files, each of which costs the agent memory and start: it would load 39 of 67
 * files at 50.1 to 50.8 MiB, and loads 17 of 24 at 49.9 (Node 20 x64, 2026-11-26). So all commands are one part.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CHOICE = /const \{ ([\w, ]+) \} = await import\('(\.[^']+)'\)/g;

export const oneCommandsPart = {
  name: 'one-commands-part',
  setup(build) {
    const room = join(build.initialOptions.absWorkingDir, 'src', 'cli');
    const isOfACommand = (file) => file.startsWith(join(room, '/'));
    build.onResolve({ filter: /^\./ }, ({ kind, importer }) => {
      if (kind !== 'dynamic-import' || !isOfACommand(importer)) return undefined;
      return { path: 'commands', namespace: 'commands' };
    });
    build.onLoad({ filter: /./, namespace: 'commands' }, () => {
      const files = readdirSync(room, { recursive: true })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(room, file));
      const contents = [...new Set(files.flatMap(choicesOf))].join('\n');
      return { contents, loader: 'js', resolveDir: room };
    });
  },
};

function choicesOf(file) {
  const text = readFileSync(file, 'utf8');
  const choices = [...text.matchAll(CHOICE)].map(
    ([, names, from]) => `export { ${names} } from '${join(dirname(file), from)}';`,
  );
  if (choices.length < (text.match(/await import\(/g) ?? []).length)
    throw new Error(`${file}: write the import of a command as const { name } = await import('./file.ts')`);
  return choices;
}
