/** `firstlight update keygen`: writes a new pair of keys and never replaces a file. Exit codes: 0 done, 73 not written. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EX_CANTCREAT, EX_OK } from '../../app/exit-codes.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { createKeyPair } from '../../update/update-key.ts';
import type { Out } from '../ui/terminal.ts';

export async function makeKeys(directory: string, out: Out): Promise<number> {
  const { keyId, privatePem, publicPem } = createKeyPair();
  const [privateFile, publicFile] = ['key', 'pem'].map((ending) =>
    join(directory, `firstlight-update-${keyId}.${ending}`),
  ) as [string, string];
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(privateFile, privatePem, { mode: 0o600, flag: 'wx' });
    await writeFile(publicFile, publicPem, { mode: 0o644, flag: 'wx' });
  } catch (error) {
    out.write(`The keys cannot be written: ${errorMessage(error)}\n`);
    return EX_CANTCREAT;
  }
  out.write(
    `private key  ${privateFile}: keep it secret; whoever has it can install programs on the gateways\n`,
  );
  out.write(`public key   ${publicFile}: copy it to /etc/firstlight/update-keys.d/ of the gateways\n`);
  return EX_OK;
}
