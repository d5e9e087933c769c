/**
 * Checks the owner and the mode of the certificate files in an image: the service of each clone must be able to read them, and
 * no other user the private key. One sentence for each problem.
 */

import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CREDSTORE } from '../../app/paths.ts';
import { settings } from '../../config/schema/settings.ts';
import { credentialName } from '../../config/sources/named-file.ts';
import type { CertificateFile } from '../../config/sources/tls-files.ts';
import { locateInImage, resolveInImage } from '../../image/locate.ts';

const KEY = settings.serverKeyFile;
/** ProtectHome= and PrivateTmp= of the unit. */
const HIDDEN_FROM_SERVICE = /^\/(home|root|run\/user|tmp|var\/tmp)\//;
const USER = 'firstlight';
const [OWNER_READS, GROUP_READS, OTHERS_READ, OTHERS_ENTER] = [0o400, 0o040, 0o004, 0o001];
const GROUP_AND_OTHERS = 0o077;

/** `files` exist below `root`, the mount point of an image, or in its credential store. */
export function certificateFileProblems(root: string, files: readonly CertificateFile[]): readonly string[] {
  return files.flatMap((file) => {
    const name = credentialName(file.path);
    const problem =
      name === undefined ? problemOfFile(root, file) : problemOfCredential(root, join(CREDSTORE, name));
    return problem === undefined ? [] : [`${file.key} = ${JSON.stringify(file.path)}: ${problem}`];
  });
}

/** systemd passes it to the service, so that only root needs to read it. The service may have been stopped a moment ago. */
function problemOfCredential(root: string, path: string): string | undefined {
  const stat = statSync(locateInImage(root, path), { throwIfNoEntry: false });
  if (stat === undefined || (stat.uid === rootOf(root) && (stat.mode & GROUP_AND_OTHERS) === 0))
    return undefined;
  return `${path} has ${ownership(stat)}, and only root may read it; run: chown root: ${path} && chmod 600 ${path}`;
}

function problemOfFile(root: string, { key, path }: CertificateFile): string | undefined {
  const places = [path, resolveInImage(root, path) ?? path];
  if (places.some((place) => HIDDEN_FROM_SERVICE.test(place)))
    return 'the service cannot see this directory; move the file to /etc/firstlight';
  const stat = statSync(locateInImage(root, path));
  if (key === KEY.key) {
    if (isReadByServiceOnly(root, stat)) return undefined;
    return `it has ${ownership(stat)}, and the service must be able to read it, and no other user; move it to ${CREDSTORE}/firstlight.key (owner root, mode 0600) and set key-file = "${KEY.example}"`;
  }
  const closed = places
    .flatMap(directoriesOf)
    .find((directory) => !hasMode(locateInImage(root, directory), OTHERS_ENTER));
  if (closed !== undefined) return `the service cannot enter ${closed}; run: chmod a+x ${closed}`;
  if ((stat.mode & OTHERS_READ) !== 0) return undefined;
  return `it has ${ownership(stat)}, so that the service cannot read it; run: chmod 644 ${path}`;
}

function isReadByServiceOnly(root: string, { mode, uid, gid }: Stats): boolean {
  if ((mode & GROUP_AND_OTHERS & ~GROUP_READS) !== 0) return false;
  const isOfGroup = gid === idOf(root, 'group');
  if ((mode & GROUP_READS) !== 0) return isOfGroup && (uid === rootOf(root) || uid === idOf(root, 'passwd'));
  return (mode & OWNER_READS) !== 0 && uid === idOf(root, 'passwd');
}

/** Of the user or group of the service in the image; undefined if it has none yet. */
function idOf(root: string, database: 'passwd' | 'group'): number | undefined {
  try {
    const lines = readFileSync(locateInImage(root, `/etc/${database}`), 'utf8').split('\n');
    const id = lines.find((line) => line.startsWith(`${USER}:`))?.split(':')[2];
    return id === undefined ? undefined : Number(id);
  } catch {
    return undefined;
  }
}

/** The owner of the root directory: root, or the user who builds images without being root. */
function rootOf(root: string): number {
  return lstatSync(root).uid;
}

function directoriesOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...directoriesOf(parent), parent];
}

function hasMode(path: string, bits: number): boolean {
  return (statSync(path).mode & bits) !== 0;
}

function ownership({ mode, uid, gid }: Stats): string {
  return `mode 0${(mode & 0o7777).toString(8)}, owner ${uid} and group ${gid}`;
}
