/** The CPU time of a scrape of Debian's prometheus-node-exporter, for comparison; undefined if it is not installed. */

import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { cpuMsOf } from './cpu.mjs';
import { sleep } from './programs.mjs';

const PROGRAM = 'prometheus-node-exporter';
const READY_MS = 10_000;

/** Runs the exporter on a free port of this host while `use` runs. */
export async function withExporter(use) {
  if (!isInstalled()) return undefined;
  const port = await freePort();
  const child = spawn(PROGRAM, [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const scrape = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
      return answer.text();
    };
    for (let waitedMs = 0; !(await scrape().catch(() => '')); waitedMs += 100) {
      if (waitedMs > READY_MS) throw new Error(`${PROGRAM} does not respond on port ${port}`);
      await sleep(100);
    }
    return await use({ scrape, pid: child.pid });
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

export async function exporterCpuMs(scrapes) {
  return withExporter(async ({ scrape, pid }) => {
    await scrape();
    const before = cpuMsOf(pid);
    for (let done = 0; done < scrapes; done += 1) await scrape();
    return (cpuMsOf(pid) - before) / scrapes;
  });
}

function isInstalled() {
  try {
    execFileSync(PROGRAM, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
