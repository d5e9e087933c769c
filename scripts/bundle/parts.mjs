/**
 * Into which files the bundle is cut: an esbuild plugin.
 *
 * Each module that is imported when it is needed (`await import`) becomes a file, and so does whatever two of those share.
 * The commands would cut what they share with the agent into dozens of files, each of which costs the agent memory and start: it would
 * load 39 of 67 files at 50.1 to 50.8 MiB, and loads 17 of 24 at 49.9 (Node 20 x64, 2026-11-26). So the commands are one part.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The parts of the agent are asked for here; whatever else src/cli/ imports when it is needed is of a command. */
const OF_THE_AGENT = 'open-transport.ts';
const CHOICE = /const \{ ([\w, ]+) \} = await import\('(\.[^']+)'\)/g;

export const oneCommandsPart = {
  name: 'one-commands-part',
  setup(build) {
    const room = join(build.initialOptions.absWorkingDir, 'src', 'cli');
    const isOfACommand = (file) => dirname(file) === room && basename(file) !== OF_THE_AGENT;
    build.onResolve({ filter: /^\./ }, ({ kind, importer }) => {
      if (kind !== 'dynamic-import' || !isOfACommand(importer)) return undefined;
      return { path: 'commands', namespace: 'commands' };
    });
    build.onLoad({ filter: /./, namespace: 'commands' }, () => {
      const files = readdirSync(room).map((file) => join(room, file));
      const choices = files.filter(isOfACommand).flatMap(choicesOf);
      const contents = [...new Set(choices)].join('\n');
      return { contents, loader: 'js', resolveDir: room };
    });
  },
};

function choicesOf(file) {
  const text = readFileSync(file, 'utf8');
  const choices = [...text.matchAll(CHOICE)].map(([, names, from]) => `export { ${names} } from '${from}';`);
  if (choices.length < (text.match(/await import\(/g) ?? []).length)
    throw new Error(`${file}: an import of a command is written const { name } = await import('./file.ts')`);
  return choices;
}
