/** The program as a bundle with a missing or truncated part. */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';

const whole = mkdtempSync(join(tmpdir(), 'firstlight-whole-'));

/** A copy that a test can damage. */
export function copyTo(directory: string): { main: string; code: string } {
  cpSync(whole, directory, { recursive: true });
  return { main: join(directory, 'firstlight.mjs'), code: join(directory, 'code') };
}

export function bundleFirst(): void {
  before(() => {
    execFileSync(process.execPath, ['scripts/bundle.mjs', '--outfile', join(whole, 'firstlight.mjs')]);
  });

  after(() => rmSync(whole, { recursive: true, force: true }));
}
