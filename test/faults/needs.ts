/** What some faults need of the machine, found by doing it. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { noOpenssl } from '../doubles/certificates.ts';

export type Need =
  | 'root'
  | 'mounts'
  | 'network namespaces'
  | 'nft'
  | 'faketime'
  | 'no timesyncd'
  | 'openssl'
  | 'faketime and openssl';

const PRELOADED = 'libfaketimeMT.so.1';

/** The library of faketime, which a process loads before all others. */
export const FAKETIME: string | undefined = existsSync('/usr/lib')
  ? readdirSync('/usr/lib')
      .map((name) => `/usr/lib/${name}/faketime/${PRELOADED}`)
      .find((path) => existsSync(path))
  : undefined;

const works = (command: string, ...words: readonly string[]) => spawnSync(command, words).status === 0;

const REASONS: Readonly<Record<Need, () => string | false>> = {
  root: () => (process.getuid?.() === 0 && works('setpriv', '--version') ? false : 'needs root, and setpriv'),
  mounts: () =>
    works('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt') ? false : 'needs root, to mount',
  'network namespaces': () =>
    works('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up') ? false : 'needs root, and the program ip',
  nft: () => (works('unshare', '-n', 'nft', 'add', 'table', 'inet', 't') ? false : 'needs root, and nft'),
  faketime: () => (FAKETIME === undefined ? 'faketime is not installed' : false),
  openssl: () => noOpenssl,
  'no timesyncd': () => existsSync('/run/systemd/timesync') && 'systemd-timesyncd runs here',
  'faketime and openssl': () => REASONS.faketime() || REASONS.openssl(),
};

const known = new Map<Need, string | false>();

/** Why this machine cannot do it; false when it can. */
export function lacking(need: Need | undefined): string | false {
  if (need === undefined) return false;
  const reason = known.get(need) ?? REASONS[need]();
  known.set(need, reason);
  return reason;
}
