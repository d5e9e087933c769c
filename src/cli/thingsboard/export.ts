/** `firstlight thingsboard export`: the assets as files for ThingsBoard's own import. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EX_CANTCREAT, EX_OK } from '../../app/exit-codes.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { makeProvisioningPair } from '../../thingsboard/assets/profile.ts';
import { exportFiles } from '../../thingsboard/setup/export-files.ts';
import type { Out } from '../ui/terminal.ts';
import { assetSources } from './asset-sources.ts';

/** Overwrites files of an earlier export, except the profile: its key and secret may be in use. */
export async function exportForThingsboard(
  directory: string,
  { out }: { readonly out: Out },
): Promise<number> {
  let current = directory;
  try {
    mkdirSync(directory, { recursive: true });
    for (const { name, json, isSecret } of exportFiles(assetSources(), makeProvisioningPair())) {
      current = join(directory, name);
      const isKept = isSecret && !writeOnce(current, json);
      if (!isSecret) writeFileSync(current, textOf(json));
      out.write(`${current}${isKept ? ' (kept as it is)' : ''}\n`);
    }
    out.write('Import them in this order: see docs/thingsboard.md.\n');
    return EX_OK;
  } catch (error) {
    out.write(`${current} cannot be written (${errorCode(error) ?? 'unknown error'})\n`);
    return EX_CANTCREAT;
  }
}

/** False if the file exists. */
function writeOnce(path: string, json: unknown): boolean {
  try {
    writeFileSync(path, textOf(json), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function textOf(json: unknown): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
