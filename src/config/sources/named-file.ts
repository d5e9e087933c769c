/**
 * Reads a file that a setting names, also for a service that does not run yet: on a mounted image, or with a path in the
 * directory of systemd's credentials, which exists only while the service runs.
 */

import { join } from 'node:path';
import { type FileText, readTextFile } from './read-text-file.ts';

/** The directory of the credentials that systemd passes to the service (systemd.exec(5)). */
const SERVICE_CREDENTIALS = '/run/credentials/firstlight.service/';
/** The names that the unit imports (ImportCredential=). */
const IMPORTED = /^firstlight\.[\w.-]+$/;

/** Where a path of a mounted image is on this host. */
export type Locate = (path: string) => string;
/** For the files of this host itself. */
export const locateHere: Locate = (path) => path;

export interface NamedFilePlaces {
  /** For all files of a mounted image, whose paths are those in the image; default: the files of this host. */
  readonly locate?: Locate | undefined;
  /**
   * Where a file below /run/credentials/firstlight.service is read while the service does not run: the directory from which
   * systemd takes its credentials. Default: `credentialsDirectory`.
   */
  readonly credentialFiles?: string | undefined;
  /** The service has credentials that this user cannot read. A provisioning secret may be one of them. */
  readonly credentialsHidden?: boolean | undefined;
}

export function readNamedFile(
  path: string,
  bytesMax: number,
  { locate = locateHere, credentialFiles }: NamedFilePlaces,
): FileText {
  const name = credentialName(path);
  if (name !== undefined && credentialFiles !== undefined) {
    const stored = readTextFile(locate(join(credentialFiles, name)), bytesMax);
    if (stored.is !== 'missing') return stored;
  }
  return readTextFile(locate(path), bytesMax);
}

/** Where the service finds the credential of that name. */
export function credentialPath(name: string): string {
  return `${SERVICE_CREDENTIALS}${name}`;
}

/** `firstlight.key`, if the path is that of a credential which the unit imports. */
export function credentialName(path: string): string | undefined {
  const name = path.startsWith(SERVICE_CREDENTIALS) ? path.slice(SERVICE_CREDENTIALS.length) : '';
  return IMPORTED.test(name) ? name : undefined;
}
