/**
 * Certificate files that lie beside the imported file on the boot partition: which settings name them, where they belong, and the
 * text with their new paths. The key goes to systemd's credential store, because only root may read it there.
 */

import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { settings } from '../../config/schema/settings.ts';
import { credentialPath } from '../../config/sources/named-file.ts';
import { isErased } from '../../image/erase-file.ts';
import type { NewFile } from '../../image/install-config.ts';
import type { TomlSetting } from '../../image/split-secrets.ts';

export interface BootCertificate {
  /** On the boot partition, as the setting names it. */
  readonly source: string;
  readonly target: string;
  /** The new value of the setting. */
  readonly value: string;
  readonly line?: number | undefined;
  readonly isKey: boolean;
}

export interface Places {
  /** The imported file. */
  readonly source: string;
  readonly directory: string;
  readonly credstore: string;
}

const KEY_CREDENTIAL = 'firstlight.key';
const PUBLIC_NAMES = new Map<string, string>([
  [settings.serverCaFile.key, 'boot-ca.pem'],
  [settings.serverCertFile.key, 'boot-client.pem'],
]);

export function findBootCertificates(
  fileSettings: readonly TomlSetting[],
  { source, directory, credstore }: Places,
): readonly BootCertificate[] {
  return fileSettings.flatMap(({ key, value, line }): BootCertificate[] => {
    if (dirname(value) !== dirname(source) || basename(value) === basename(source)) return [];
    if (key === settings.serverKeyFile.key) {
      const target = join(credstore, KEY_CREDENTIAL);
      return [{ source: value, target, value: credentialPath(KEY_CREDENTIAL), line, isKey: true }];
    }
    const name = PUBLIC_NAMES.get(key);
    if (name === undefined) return [];
    const target = join(directory, name);
    return [{ source: value, target, value: target, line, isKey: false }];
  });
}

/** Where its content is now: after a power cut, the file may have been moved already. */
export function presentPath({ source, target }: BootCertificate): string {
  const isMoved = !existsSync(source) || isErased(readFileSync(source));
  return isMoved && existsSync(target) ? target : source;
}

export function newFileOf(certificate: BootCertificate): NewFile {
  const { target, isKey } = certificate;
  return { path: target, bytes: readFileSync(presentPath(certificate)), mode: isKey ? 0o600 : 0o644 };
}

/** The text with other paths; unchanged where a path is not written as a plain string on the line of its setting. */
export function withPaths(
  text: string,
  certificates: readonly BootCertificate[],
  pathOf: (certificate: BootCertificate) => string,
): string {
  const lines = text.split('\n');
  for (const certificate of certificates) {
    if (certificate.line === undefined) continue;
    const index = certificate.line - 1;
    const [old, path] = [certificate.source, pathOf(certificate)];
    for (const quote of ['"', "'"])
      lines[index] = (lines[index] ?? '').replace(`${quote}${old}${quote}`, () => `${quote}${path}${quote}`);
  }
  return lines.join('\n');
}
