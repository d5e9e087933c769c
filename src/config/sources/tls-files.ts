/**
 * What https trusts and how it shows who it is: server.ca-file, server.pin-sha256, server.cert-file and server.key-file, as
 * texts, judged.
 *
 * The files are read at start and again at a reload, so that a renewed certificate counts after `systemctl reload`, and a
 * file that is no certificate is a problem of the configuration and not of the first handshake. The texts of problems name
 * files, never what is in them.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { TlsSettings } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import { place, problemAt } from '../errors/problem.ts';
import { shown } from '../schema/display.ts';
import type { Setting } from '../schema/setting.ts';
import { settings } from '../schema/settings.ts';
import { readTextFile } from './read-text-file.ts';
import { absent, type Parsed, type Reader } from './reader.ts';
import { openFileWarning } from './secrets.ts';

const PEM_BYTES_MAX = 256 * 1024;
const OTHERS_MAY_READ = 0o004;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

export interface TlsFound {
  readonly tls: TlsSettings;
  readonly warnings: readonly string[];
}

export function readTls(reader: Reader): TlsFound {
  const pins = reader.last(settings.serverPin) ?? [];
  const ca = certificates(reader, settings.serverCaFile);
  const cert = certificates(reader, settings.serverCertFile);
  const key = privateKey(reader);
  requireBothHalves(reader);
  if (cert && key && !fits(cert.text, key.secret)) {
    const what = `names ${key.path}, which is not the key of the certificate in ${cert.path}`;
    reader.problems.push(problemAt(key.source, { what, key: settings.serverKeyFile.key }));
  }
  return {
    tls: {
      pins,
      ...(ca && { ca: ca.text }),
      ...(cert && key && { client: { cert: cert.text, key: key.secret } }),
    },
    warnings: key?.isOpen ? [openFileWarning({ called: 'private key' }, key.path)] : [],
  };
}

/** A certificate without its key is of no use, nor the other way round. */
function requireBothHalves(reader: Reader): void {
  const [cert, key] = [settings.serverCertFile, settings.serverKeyFile];
  if (reader.isGiven(cert) === reader.isGiven(key)) return;
  const [there, lacking] = reader.isGiven(cert) ? [cert, key] : [key, cert];
  const source = reader.sourceOf(there);
  if (source) reader.problems.push(absent(lacking, source, `is missing, though ${there.key} is given`));
}

function certificates(reader: Reader, setting: Setting<string>) {
  const file = readPem(reader, setting);
  if (!file) return undefined;
  const found = file.text.match(CERTIFICATE) ?? [];
  if (found.length > 0 && found.every(isCertificate)) return file;
  tell(reader, setting, file, 'has no certificate in it, or one that cannot be read (PEM is needed)');
  return undefined;
}

function privateKey(reader: Reader) {
  const setting = settings.serverKeyFile;
  const file = readPem(reader, setting);
  if (!file) return undefined;
  try {
    createPrivateKey(file.text);
    return { ...file, secret: new Secret(file.text), isOpen: (file.mode & OTHERS_MAY_READ) !== 0 };
  } catch {
    tell(reader, setting, file, 'is not a private key in PEM without a password');
    return undefined;
  }
}

interface PemFile {
  readonly path: string;
  readonly source: Parsed<string>['source'];
  readonly text: string;
  readonly mode: number;
}

function readPem(reader: Reader, setting: Setting<string>): PemFile | undefined {
  const named = reader.all(setting).at(-1);
  if (!named) return undefined;
  const { value: path, source } = named;
  reader.sources[setting.key] = place(source);
  reader.values[setting.key] = shown(setting, path);
  const file = readTextFile(path, PEM_BYTES_MAX);
  if (file.is === 'text') return { path, source, text: file.text, mode: file.mode };
  tell(reader, setting, { path, source }, file.is === 'missing' ? 'does not exist' : file.what);
  return undefined;
}

function tell(
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

function fits(cert: string, key: Secret): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.reveal()));
  } catch {
    return false;
  }
}
