/** `firstlight update check`: verifies an update file. Exit codes: 0 valid, 1 refused, 66 the file cannot be read. */

import { EX_FAILED, EX_NOINPUT, EX_OK } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { ANY_VERSION } from '../../core/update/package-version.ts';
import { KEYS_DIRECTORY, readTrustedKeys } from '../../update/trusted-keys.ts';
import { verifyUpdate } from '../../update/update-file.ts';
import { FileSource } from '../../update/update-source.ts';
import type { Out } from '../ui/terminal.ts';

export interface CheckOptions {
  readonly keys?: string;
}

export async function checkUpdate(
  file: string,
  { keys: directory = KEYS_DIRECTORY }: CheckOptions,
  out: Out,
): Promise<number> {
  // The keys of another directory are those of the user who checks.
  const owner = directory === KEYS_DIRECTORY ? 0 : process.getuid?.();
  const { keys, problems } = readTrustedKeys(directory, owner);
  for (const problem of problems) out.write(`Not used: ${problem}\n`);
  if (keys.size === 0) {
    out.write(`There is no public key in ${directory}: name the directory of your public key with --keys\n`);
    return EX_FAILED;
  }
  try {
    using source = new FileSource(file);
    const update = await verifyUpdate(source, keys);
    if (!update.ok) {
      out.write(`Refused: ${update.problem}\n`);
      return EX_FAILED;
    }
    const { manifest, keyIds } = update.value;
    const { version, minimumVersion, maximumVersion, parts } = manifest;
    out.write(`version    ${version}\n`);
    const newest = maximumVersion === undefined ? '' : `, also newer versions up to ${maximumVersion}`;
    const oldest = minimumVersion === ANY_VERSION ? 'any older version' : `${minimumVersion} or later`;
    out.write(`replaces   ${oldest}${newest}\n`);
    out.write(`signed by  ${keyIds.join(', ')}\n`);
    for (const { name, architecture, bytes } of parts)
      out.write(`package    ${name}, ${architecture}, ${Math.round(bytes / 1000)} kB\n`);
    return EX_OK;
  } catch (error) {
    out.write(`${file} cannot be read: ${errorMessage(error)}\n`);
    return EX_NOINPUT;
  }
}
