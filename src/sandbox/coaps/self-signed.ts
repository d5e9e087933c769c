/** A certificate for the coaps port of the sandbox, made by openssl at each start unless the caller has one. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CertificateFiles extends AsyncDisposable {
  readonly certFile: string;
  readonly keyFile: string;
}

/** For localhost, 127.0.0.1 and ::1, self-signed, 30 days. Rejects if openssl is not installed. */
export async function createSelfSigned(): Promise<CertificateFiles> {
  const directory = await mkdtemp(join(tmpdir(), 'firstlight-sandbox-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  const [certFile, keyFile] = [join(directory, 'coaps.pem'), join(directory, 'coaps.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'];
  try {
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-days', '30', '-out', certFile],
      ...key,
      ...names,
    ]);
  } catch (error) {
    await remove();
    throw new Error('openssl cannot make a certificate for the coaps port', { cause: error });
  }
  return { certFile, keyFile, [Symbol.asyncDispose]: remove };
}
