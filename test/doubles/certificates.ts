/**
 * Certificates for tests, created by openssl: an authority and the certificates that it signs. Tests skip if
 * openssl is missing.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const opensslProblem: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

export interface Pem {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateRequest {
  /** Default: `DNS:localhost,IP:127.0.0.1`. Empty: no subjectAltName. */
  readonly names?: string;
  /** Default: a name of no host. */
  readonly commonName?: string;
  /** Default: the authority itself. */
  readonly issuer?: Pem;
  /** Instead of a key of an elliptic curve. */
  readonly isRsa?: boolean;
  /** The certificate may issue others. */
  readonly isAuthority?: boolean;
  /** In the format of openssl, `20200101000000Z`. Default: now and in 30 days. */
  readonly from?: string;
  readonly to?: string;
}

export class Authority implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'firstlight-pki-'));
  readonly pem: Pem;
  #count = 0;

  constructor(name = 'Test Authority') {
    this.pem = this.#files('ca');
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '30',
      '-subj',
      `/O=Firstlight Tests/CN=${name}`,
      '-keyout',
      this.pem.keyFile,
      '-out',
      this.pem.certFile,
    );
    this.pem = this.#read('ca');
    writeFileSync(join(this.directory, 'index.txt'), '');
    writeFileSync(
      join(this.directory, 'ca.cnf'),
      `[ca]\ndefault_ca=a\n[a]\ndatabase=${this.directory}/index.txt\nnew_certs_dir=${this.directory}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n`,
    );
  }

  /** Issues a certificate with its key. */
  issue(wanted: CertificateRequest = {}): Pem {
    const { names = 'DNS:localhost,IP:127.0.0.1', from, to, issuer = this.pem, isAuthority } = wanted;
    this.#count += 1;
    const name = `leaf-${this.#count}`;
    const { certFile, keyFile } = this.#files(name);
    const request = join(this.directory, `${name}.csr`);
    this.#openssl(
      'req',
      ...(wanted.isRsa
        ? ['-newkey', 'rsa:2048']
        : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']),
      '-nodes',
      '-subj',
      `/CN=${wanted.commonName ?? name}`,
      ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`]),
      ...(isAuthority ? ['-addext', 'basicConstraints=critical,CA:TRUE'] : []),
      '-keyout',
      keyFile,
      '-out',
      request,
    );
    const dates = [
      ...(from === undefined ? [] : ['-startdate', from]),
      ...(to === undefined ? ['-days', '30'] : ['-enddate', to]),
    ];
    this.#openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      join(this.directory, 'ca.cnf'),
      '-cert',
      issuer.certFile,
      '-keyfile',
      issuer.keyFile,
      ...dates,
      '-in',
      request,
      '-out',
      certFile,
    );
    return this.#read(name);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #openssl(...commandLine: readonly string[]): void {
    execFileSync('openssl', commandLine, { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  #files(name: string): Pem {
    const [certFile, keyFile] = [join(this.directory, `${name}.pem`), join(this.directory, `${name}.key`)];
    return { cert: '', key: '', certFile, keyFile };
  }

  #read(name: string): Pem {
    const files = this.#files(name);
    return { ...files, cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
  }
}
