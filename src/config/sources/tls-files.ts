/**
 * The TLS settings: server.ca-file, server.pin-sha256, server.cert-file and server.key-file, read and validated.
 *
 * The files are read at start and at a reload: a renewed certificate takes effect after `systemctl reload`, and an invalid file
 * is a problem of the configuration, not of the first handshake. Problems name files, never their content.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { TlsSettings } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import { formatSource, problemAt } from '../errors/problem.ts';
import { formatValue } from '../schema/display.ts';
import type { Setting } from '../schema/setting.ts';
import { settings } from '../schema/settings.ts';
import { credentialName, type NamedFilePlaces, readNamedFile } from './named-file.ts';
import { missingProblem, type Parsed, type Reader } from './reader.ts';
import { openFileWarning } from './secrets.ts';

const PEM_BYTES_MAX = 256 * 1024;
const OTHERS_MAY_READ = 0o004;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export interface TlsResult {
  readonly tls: TlsSettings;
  readonly files: readonly CertificateFile[];
  readonly warnings: readonly string[];
}

/** A file that was read. */
export interface CertificateFile {
  /** `server.ca-file`, `server.cert-file` or `server.key-file`. */
  readonly key: string;
  /** As configured. */
  readonly path: string;
}

export function readTls(reader: Reader, places: NamedFilePlaces): TlsResult {
  const pins = reader.last(settings.serverPin) ?? [];
  const ca = readCertificates(reader, settings.serverCaFile, places);
  const cert = readCertificates(reader, settings.serverCertFile, places);
  const key = readPrivateKey(reader, places);
  requireCertificateAndKey(reader);
  if (cert && key && !isKeyOf(cert.text, key.secret)) {
    const what = `names ${key.path}, which is not the key of the certificate in ${cert.path}; set cert-file and key-file to one pair`;
    reader.problems.push(problemAt(key.source, { what, key: settings.serverKeyFile.key }));
  }
  return {
    tls: {
      pins,
      ...(ca && { ca: ca.text }),
      ...(cert && key && { client: { cert: cert.text, key: key.secret } }),
    },
    files: [ca, cert, key].flatMap((file) => (file ? [{ key: file.setting.key, path: file.path }] : [])),
    warnings: key?.isOpen ? [openFileWarning({ label: 'private key' }, key.path)] : [],
  };
}

function requireCertificateAndKey(reader: Reader): void {
  const [cert, key] = [settings.serverCertFile, settings.serverKeyFile];
  if (reader.isSet(cert) === reader.isSet(key)) return;
  const [present, missing] = reader.isSet(cert) ? [cert, key] : [key, cert];
  const source = reader.sourceOf(present);
  if (source) reader.problems.push(missingProblem(missing, source, `is missing, but ${present.key} is set`));
}

function readCertificates(reader: Reader, setting: Setting<string>, places: NamedFilePlaces) {
  const file = readPem(reader, setting, places);
  if (!file) return undefined;
  const found = file.text.match(CERTIFICATE) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return file;
  addFileProblem(reader, setting, file, 'contains no valid certificate (PEM is required)');
  return undefined;
}

function readPrivateKey(reader: Reader, places: NamedFilePlaces) {
  const setting = settings.serverKeyFile;
  const file = readPem(reader, setting, places);
  if (!file) return undefined;
  try {
    createPrivateKey(file.text);
    return { ...file, secret: new Secret(file.text), isOpen: (file.mode & OTHERS_MAY_READ) !== 0 };
  } catch {
    addFileProblem(reader, setting, file, 'is not a private key in PEM without a password');
    return undefined;
  }
}

interface PemFile {
  readonly setting: Setting<string>;
  readonly path: string;
  readonly source: Parsed<string>['source'];
  readonly text: string;
  readonly mode: number;
}

function readPem(reader: Reader, setting: Setting<string>, places: NamedFilePlaces): PemFile | undefined {
  const last = reader.all(setting).at(-1);
  if (!last) return undefined;
  const { value: path, source } = last;
  reader.sources[setting.key] = formatSource(source);
  reader.values[setting.key] = formatValue(setting, path);
  const file = readNamedFile(path, PEM_BYTES_MAX, places);
  if (file.is === 'text') return { setting, path, source, text: file.text, mode: file.mode };
  addFileProblem(
    reader,
    setting,
    { path, source },
    file.is === 'missing' ? missingText(path, places) : file.what,
  );
  return undefined;
}

function missingText(path: string, { credentialsHidden }: NamedFilePlaces): string {
  const name = credentialName(path);
  if (name === undefined) return 'does not exist';
  if (credentialsHidden) return 'is a credential of the service, which only root can read: run with sudo';
  return `does not exist; store the file as /etc/credstore/${name} (owner root, mode 0600)`;
}

function addFileProblem(
  reader: Reader,
  { key }: Setting,
  { path, source }: Pick<PemFile, 'path' | 'source'>,
  what: string,
) {
  reader.problems.push(problemAt(source, { what: `names ${path}, which ${what}`, key }));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function isKeyOf(cert: string, key: Secret): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.reveal()));
  } catch {
    return false;
  }
}
