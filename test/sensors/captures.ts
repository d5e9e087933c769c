/** Captures with scripts/capture-host.sh, and what the sensors make of them. */

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

export const SCRIPT = join(process.cwd(), 'scripts/capture-host.sh');

export const HOSTS = join(process.cwd(), 'test/fixtures/hosts');

export async function capture(t: TestContext, options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-capture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const archive = join(folder, 'capture.tar.gz');
  const { stdout } = await promisify(execFile)('sh', [SCRIPT, '--out', archive, ...options]);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  execFileSync('tar', ['-C', tree, '-xzf', archive]);
  return { tree, archive, stdout };
}

/** Every path below, within, and the text of every file. From Node 22 on, a recursive readdirSync follows links, and /sys has circles of them. */
export function everythingIn(folder: string, within = ''): string {
  return readdirSync(join(folder, within), { withFileTypes: true })
    .map((entry) => {
      const path = join(within, entry.name);
      if (entry.isDirectory()) return everythingIn(folder, path);
      return entry.isFile() ? `${path}\n${readFileSync(join(folder, path), 'latin1')}` : `${path}\n`;
    })
    .join('');
}
