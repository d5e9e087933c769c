/**
 * The package, made once for the tests of this folder, and what of Debian's tools is here to look at it with.
 *
 * Tests that need a tool this machine lacks skip, and say which.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../src/app/version.ts';

const EPOCH = '1795000000';

export interface BuiltPackage {
  readonly deb: string;
  readonly tarball: string;
}

/** Makes package and tarball below a directory of its own, which the caller removes. */
export function makePackage(): BuiltPackage & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-package-'));
  execFileSync(process.execPath, ['scripts/package.mjs', '--output', directory], {
    env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    directory,
    deb: join(directory, `firstlight_${VERSION}_all.deb`),
    tarball: join(directory, `firstlight-${VERSION}.tar.gz`),
  };
}

/** For the option `skip` of a test: the sentence, or false where all of these are here. */
export function missingTools(...tools: readonly string[]): string | false {
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return absent.length > 0 && `${absent.join(' and ')} is not installed here`;
}
