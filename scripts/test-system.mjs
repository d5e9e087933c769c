/**
 * `npm run test:system`: tests the package on Debian with systemd, in containers (test/system/system.ts describes them,
 * test/system/options.ts the options). Takes about twelve minutes and needs root; otherwise it is skipped with the reason.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const system = spawn(
  process.execPath,
  ['--enable-source-maps', join(root, 'dist/test/system/system.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// The terminal sends Ctrl-C to both processes; the tests clean up and exit, and this one with them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => system.kill(signal));
system.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
