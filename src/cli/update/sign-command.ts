/**
 * `firstlight update sign`: packages in, one signed update file out. Exit codes: 0 done, 1 refused, 64 wrong usage, 66 a file
 * cannot be read, 73 the update cannot be written.
 */

import { execFile } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { EX_CANTCREAT, EX_FAILED, EX_NOINPUT, EX_OK, EX_USAGE } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { ANY_VERSION, isPackageVersion } from '../../core/update/package-version.ts';
import { type PackageFile, readSigningKey, signUpdate, type UpdateTerms } from '../../update/sign-update.ts';
import type { Out } from '../ui/terminal.ts';

export interface SignOptions {
  readonly key: readonly string[];
  readonly output: string;
  readonly minimumVersion?: string;
  readonly allowDowngrade?: boolean;
  readonly maximumVersion?: string;
}

const DPKG_TIMEOUT_MS = 30_000;

export async function signCommand(files: readonly string[], options: SignOptions, out: Out): Promise<number> {
  const { output } = options;
  const terms = termsOf(options);
  if (typeof terms === 'string') {
    out.write(`${terms}\n`);
    return EX_USAGE;
  }
  const keys: KeyObject[] = [];
  const packages: PackageFile[] = [];
  try {
    for (const file of options.key) {
      const key = readSigningKey(await readFile(file, 'utf8'));
      if (!key.ok) {
        out.write(`${file}: ${key.problem}\n`);
        return EX_FAILED;
      }
      keys.push(key.value);
    }
    for (const file of files) packages.push(await readPackage(file));
  } catch (error) {
    out.write(`A file cannot be read: ${errorMessage(error)}\n`);
    return EX_NOINPUT;
  }
  const update = signUpdate(packages, terms, keys);
  if (!update.ok) {
    out.write(`${update.problem}\n`);
    return EX_FAILED;
  }
  try {
    await writeFile(`${output}.new`, update.value);
    await rename(`${output}.new`, output);
  } catch (error) {
    out.write(`The update cannot be written: ${errorMessage(error)}\n`);
    return EX_CANTCREAT;
  }
  out.write(`${output}: version ${packages[0]?.version}, ${Math.round(update.value.length / 1000)} kB\n`);
  return EX_OK;
}

/** A string: what is wrong with the options. */
function termsOf({
  minimumVersion = ANY_VERSION,
  allowDowngrade = false,
  maximumVersion,
}: SignOptions): UpdateTerms | string {
  const options = { '--minimum-version': minimumVersion, '--maximum-version': maximumVersion };
  for (const [option, version] of Object.entries(options))
    if (version !== undefined && !isPackageVersion(version))
      return `${option} ${version} must be a digit, then letters, digits and . + ~`;
  if (allowDowngrade === (maximumVersion === undefined))
    return '--allow-downgrade and --maximum-version belong together: the newest installed version that the update may replace';
  return { minimumVersion, allowDowngrade, ...(maximumVersion !== undefined && { maximumVersion }) };
}

async function readPackage(file: string): Promise<PackageFile> {
  const content = await readFile(file);
  const field = async (name: string): Promise<string> => {
    const { stdout } = await promisify(execFile)('dpkg-deb', ['--field', file, name], {
      timeout: DPKG_TIMEOUT_MS,
    });
    return stdout.trim();
  };
  return {
    name: basename(file),
    package: await field('Package'),
    version: await field('Version'),
    architecture: await field('Architecture'),
    content,
  };
}
