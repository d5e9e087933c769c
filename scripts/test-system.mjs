/**
 * `npm run test:system`: prepares, then tests the package on a real Debian with a real systemd, in containers (test/container/system.ts says how,
 * test/container/options.ts what it can be told). Takes about eight minutes, and root; without it everything is skipped, with the reason.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const system = spawn(
  process.execPath,
  ['--enable-source-maps', join(root, 'dist/test/container/system.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
// The terminal sends Ctrl-C to both; the tests clean up and end, and this ends with them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => system.kill(signal));
system.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
