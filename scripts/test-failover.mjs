/**
 * `npm run test:failover`: drops UDP in the middle of a backlog of an agent (test/power/failover.ts lists what must hold). Takes about two
 * minutes. Needs root, nft, ip, openssl and a network namespace; otherwise it is skipped with the reason.
 *
 * The namespaces have no names: they and all processes in them end with the process that created them, so that two runs do not
 * interfere and nothing is left behind.
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
  if (process.getuid?.() !== 0) return 'needs root, for a network namespace and a packet filter';
  for (const [program, word] of [
    ['nft', '--version'],
    ['ip', '-V'],
    ['openssl', 'version'],
    ['unshare', '--version'],
  ]) {
    if (spawnSync(program, [word]).status !== 0) return `${program} is not installed`;
  }
  const { status, stderr } = spawnSync('unshare', [...APART, 'nft', 'list', 'tables'], { encoding: 'utf8' });
  return status === 0
    ? undefined
    : `this host allows no network namespace with a packet filter: ${stderr.trim()}`;
}

function run() {
  prepare();
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-failover-'));
  const program = join(root, 'dist/test/power/failover.js');
  const failover = spawn(
    'unshare',
    [...APART, process.execPath, '--enable-source-maps', program, '--directory', directory],
    // Temporary files go into the directory.
    { stdio: 'inherit', env: { ...process.env, TMPDIR: directory } },
  );
  // Killed, because nothing in the namespace needs cleaning up; the directory is removed below.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => failover.kill('SIGKILL'));
  failover.on('error', (error) => {
    console.error(`unshare failed to start: ${error.message}`);
    process.exitCode = 1;
  });
  failover.on('close', (code) => {
    rmSync(directory, { recursive: true, force: true });
    process.exitCode ??= code ?? 1;
  });
}
