/**
 * `npm start`: from a fresh clone to stored telemetry. Prepares, then runs `firstlight demo` with the given arguments
 * (`npm start -- --seconds 15`).
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const demo = spawn(process.execPath, [join(root, 'dist/src/main.js'), 'demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both processes; the demo cleans up and exits, and this one with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
demo.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
