/**
 * `npm test`: prepares, then runs every test in dist/test, or those whose path contains an argument given
 * (`npm test -- sandbox`). Skipped tests say why.
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

// A test whose source is gone must not go on passing from an old build.
rmSync(join(root, 'dist', 'test'), { recursive: true, force: true });
rmSync(join(root, 'dist', '.tsbuildinfo'), { force: true });
prepare();

const wanted = process.argv.slice(2);
const compiled = join(root, 'dist', 'test');
const files = readdirSync(compiled, { recursive: true })
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
  .sort()
  .map((file) => join(compiled, file));
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(' ')}`);
  process.exit(1);
}
/** No test takes a tenth of it; one that hangs must not hang the run. */
const TEST_MS_MAX = 900_000;
// The runner leaves one core idle, which on two cores is half of them; our tests wait more than they compute.
const parallel = `--test-concurrency=${Math.max(2, availableParallelism())}`;
const { status } = spawnSync(
  process.execPath,
  ['--expose-gc', '--enable-source-maps', parallel, `--test-timeout=${TEST_MS_MAX}`, '--test', ...files],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
