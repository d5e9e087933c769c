/**
 * Builds the package for the tests of this folder, and finds the tools of Debian that inspect it. Tests skip
 * if a tool is missing, and name it.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../src/app/version.ts';

const EPOCH = '1795000000';

export interface BuiltPackage {
  readonly deb: string;
  /** The package firstlight-dtls; undefined where it cannot be compiled. */
  readonly dtlsDeb: string | undefined;
  readonly tarball: string;
}

/** Builds package and tarball in a directory of its own, which the caller removes. */
export function buildPackage(): BuiltPackage & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-package-'));
  execFileSync(process.execPath, ['scripts/package.mjs', '--output', directory], {
    env: { ...process.env, SOURCE_DATE_EPOCH: EPOCH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const dtls = readdirSync(directory).find((name) => name.startsWith('firstlight-dtls_'));
  return {
    directory,
    deb: join(directory, `firstlight_${VERSION}_all.deb`),
    dtlsDeb: dtls === undefined ? undefined : join(directory, dtls),
    tarball: join(directory, `firstlight-${VERSION}.tar.gz`),
  };
}

/** For the option `skip` of a test: names the missing tools; false if all are installed. */
export function missingTools(...tools: readonly string[]): string | false {
  const absent = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  return absent.length > 0 && `${absent.join(' and ')} is not installed`;
}
