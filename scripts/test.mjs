/**
 * `npm test`: prepares, then runs the fast tests; `npm run test:slow` runs those in *.slow.test.ts, `npm run test:all` both.
 * With words only the files whose path contains one (`npm test -- sandbox`). Skipped tests say why.
 */

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { filesBelow, prepare, root } from './lib/prepare.mjs';

const TIERS = {
  '--fast': (file) => !isSlow(file),
  '--slow': isSlow,
  '--all': () => true,
};
/** No test takes a tenth of it; one that hangs must not hang the run. */
const TEST_MS_MAX = 900_000;

function isSlow(file) {
  return file.endsWith('.slow.test.js');
}

prepare();
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
// One file more than there are cores (the runner's default is one fewer), because our tests wait more than they compute: on two
// cores the fast tier took 145 s instead of 163 s (2026-11-30).
const parallel = `--test-concurrency=${availableParallelism() + 1}`;
const { status } = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    '--enable-source-maps',
    parallel,
    `--test-timeout=${TEST_MS_MAX}`,
    '--test',
    ...files.map((file) => join(compiled, file)),
  ],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
