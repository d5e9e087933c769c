/**
 * `npm run simulate`: first boots in virtual time (`npm run simulate -- --boots 10000 --seed 7`), or the weeks of many gateways
 * (`npm run simulate -- weeks --gateways 1000 --days 7`). test/simulation/first-boot/main.ts and test/simulation/weeks/main.ts list the options.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const main = join(root, 'dist/test/simulation/first-boot/main.js');
const { status } = spawnSync(process.execPath, ['--enable-source-maps', main, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
