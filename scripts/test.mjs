/**
 * `npm test`: prepares, then runs the fast tests; `npm run test:slow` runs those in *.slow.test.ts, and again, with all their
 * inputs, those that repeat something with random ones (test/repetitions.ts); `npm run test:all` runs all in full.
 * With words only the files whose path contains one (`npm test -- sandbox`). Skipped tests say why.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, prepare, root } from './lib/prepare.mjs';

const TIERS = {
  '--fast': (file) => !isSlow(file),
  '--slow': (file) => isSlow(file) || isRepeated(file),
  '--all': () => true,
};
/** No test takes a tenth of it; one that hangs must not hang the run. */
const TEST_MS_MAX = 900_000;

/** Tests of these rooms share a process: its start costs more CPU than most of them. The other rooms have few and long ones. */
const SHARING_ROOMS = new Set([
  'agent',
  'app',
  'cli',
  'config',
  'core',
  'credentials',
  'doctor',
  'host',
  'image',
  'outbox',
  'remote-commands',
  'sandbox',
  'sensors',
  'thingsboard',
  'transport',
  'update',
]);
/** Their tests wait for processes and for the network. */
const WAITING_ROOMS = new Set(['app', 'transport']);
const GROUP_FILES_MAX = 8;

/** The files to run: those of the sharing rooms as groups, each a file in dist/test/groups that imports its tests. */
function groupsOf(allFiles) {
  const directory = join(compiled, 'groups');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  const roomOf = (file) => file.split(sep)[0];
  const isSharing = (file) => SHARING_ROOMS.has(roomOf(file)) && !isSlow(file);
  const rooms = new Map();
  for (const file of allFiles.filter(isSharing))
    rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), file]);
  const groups = [...rooms].flatMap(([room, files]) => {
    const count = Math.ceil(files.length / GROUP_FILES_MAX);
    return Array.from({ length: count }, (_, index) => {
      const imports = files
        .filter((_, at) => at % count === index)
        .map((file) => `import ${JSON.stringify(pathToFileURL(join(compiled, file)).href)};\n`);
      // The runner starts the files in the order of their names: those that wait most come first.
      const order = WAITING_ROOMS.has(room) ? 1 : 2;
      const group = join('groups', `${order}-${room}-${index + 1}.js`);
      writeFileSync(join(compiled, group), imports.join(''));
      return group;
    });
  });
  return [...allFiles.filter((file) => !isSharing(file)), ...groups];
}

function isSlow(file) {
  return file.endsWith('.slow.test.js');
}

function isRepeated(file) {
  return readFileSync(join(compiled, file), 'utf8').includes('/repetitions.js');
}

prepare({ bundle: true });
const words = process.argv.slice(2);
const tier = words[0] in TIERS ? words.shift() : '--fast';
const compiled = join(root, 'dist', 'test');
const named = filesBelow(compiled)
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
const files = named.filter(TIERS[tier]).sort();
if (files.length === 0) {
  const remedy = named.length === 0 ? '' : `; npm run test:all has ${named.length} that match`;
  console.error(`no test of this run matches ${words.join(' ')}${remedy}`);
  process.exit(1);
}
// More than there are cores (the runner's default is one fewer), because many tests wait.
const parallel = `--test-concurrency=${availableParallelism() + (tier === '--fast' ? 3 : 2)}`;
const { status } = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    `--import=${pathToFileURL(join(compiled, 'max-listeners.js'))}`,
    // Reading the maps costs each process a tenth of its start: only a run of a few files names the lines of the sources.
    ...(words.length === 0 ? [] : ['--enable-source-maps']),
    parallel,
    `--test-timeout=${TEST_MS_MAX}`,
    '--test',
    // It names the tests that failed once more at the end, where a log that keeps only its end still has them.
    '--test-reporter=spec',
    ...(words.length === 0 ? groupsOf(files) : files).map((file) => join(compiled, file)),
  ],
  {
    cwd: root,
    env: { ...process.env, TEST_TIER: tier === '--fast' ? 'fast' : 'slow' },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
