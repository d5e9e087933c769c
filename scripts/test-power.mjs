/**
 * `npm run test:power`: power cuts during first boots (test/power/power.ts describes them and takes the options). Takes about
 * fifteen minutes; as root it also mounts small images below the temporary directory.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const power = spawn(
  process.execPath,
  ['--enable-source-maps', join(root, 'dist/test/power/power.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// The terminal sends Ctrl-C to both processes; the tests clean up and exit, and this one with them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => power.kill(signal));
power.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
