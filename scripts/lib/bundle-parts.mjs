/**
 * Into which files the bundle is cut: an esbuild plugin.
 *
 * Each module that is imported when it is needed (`await import`) becomes a file, and so does whatever two of those share.
 * A dozen commands would cut what they share with the agent into fifty files, and files cost the agent memory and start: 54.3 MiB
 * with 48 files, 50.7 with 20 (Node 20 x64, 2026-11-26). So the commands that are started by hand are one part.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where commands are chosen, below src/cli/. */
const CHOOSERS = ['program.ts', 'say-commands.ts'];
const CHOICE = /const \{ (\w+) \} = await import\('(\.\/[\w-]+\.ts)'\)/g;

export const oneCommandsPart = {
  name: 'one-commands-part',
  setup(build) {
    const room = join(build.initialOptions.absWorkingDir, 'src', 'cli');
    const choosers = CHOOSERS.map((file) => join(room, file));
    build.onResolve({ filter: /^\.\// }, ({ kind, importer }) => {
      if (kind !== 'dynamic-import' || !choosers.includes(importer)) return undefined;
      return { path: 'commands', namespace: 'commands' };
    });
    build.onLoad({ filter: /./, namespace: 'commands' }, () => {
      const choices = choosers.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(CHOICE)]);
      const names = new Map(choices.map(([, name, file]) => [name, file]));
      const contents = [...names].map(([name, file]) => `export { ${name} } from '${file}';`).join('\n');
      return { contents, loader: 'js', resolveDir: room };
    });
  },
};
