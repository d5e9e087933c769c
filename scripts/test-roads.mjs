/**
 * `npm run test:roads`: prepares, then drops UDP half-way through a backlog of a real agent (test/system/roads.ts says what must hold).
 * About two minutes. It needs root, nft, ip, openssl and a network namespace; without one of them it is skipped, with the reason.
 *
 * The namespaces have no names: they and every process in them end with the process that made them, however that ends, so that
 * two runs at once do not meet and nothing is left behind.
 */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

const APART = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];

const reason = missing();
if (reason === undefined) run();
else console.log(`skipped: ${reason}`);

function missing() {
  if (process.getuid?.() !== 0)
    return 'it needs root, for a network namespace and a packet filter of its own';
  for (const [program, word] of [
    ['nft', '--version'],
    ['ip', '-V'],
    ['openssl', 'version'],
    ['unshare', '--version'],
  ]) {
    if (spawnSync(program, [word]).status !== 0) return `${program} is not installed`;
  }
  const { status, stderr } = spawnSync('unshare', [...APART, 'nft', 'list', 'tables'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no network namespace with a packet filter here: ${stderr.trim()}`;
}

function run() {
  prepare();
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-roads-'));
  const program = join(root, 'dist/test/system/roads.js');
  const roads = spawn(
    'unshare',
    [...APART, process.execPath, '--enable-source-maps', program, '--directory', directory],
    // Whatever is made there is made in the directory.
    { stdio: 'inherit', env: { ...process.env, TMPDIR: directory } },
  );
  // What runs apart is not asked but killed: there is nothing to tidy up in it, and the directory goes here.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => roads.kill('SIGKILL'));
  roads.on('error', (error) => {
    console.error(`unshare cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  roads.on('close', (code) => {
    rmSync(directory, { recursive: true, force: true });
    process.exitCode ??= code ?? 1;
  });
}
