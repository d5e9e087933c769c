/** What some faults need of the machine, found by doing it. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { opensslProblem } from '../doubles/certificates.ts';

export type Need =
  | 'root'
  | 'mounts'
  | 'network namespaces'
  | 'nft'
  | 'faketime'
  | 'no timesyncd'
  | 'a clock that is not synchronised'
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

/** adjtimex(2) of this machine, by its number (asm/unistd.h): 5 is "not synchronised". Nobody may set that for a test: it is the kernel's, and so the whole machine's. */
const ADJTIMEX: Readonly<Record<string, number>> = { x64: 159, arm64: 171 };
const kernelSupports = (): string =>
  spawnSync('perl', ['-e', `my $t = "\\0" x 256; print syscall(${ADJTIMEX[process.arch] ?? -1}, $t)`], {
    encoding: 'utf8',
  }).stdout;

const REASONS: Readonly<Record<Need, () => string | false>> = {
  root: () => (process.getuid?.() === 0 && works('setpriv', '--version') ? false : 'needs root, and setpriv'),
  mounts: () =>
    works('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt') ? false : 'needs root, to mount',
  'network namespaces': () =>
    works('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up') ? false : 'needs root, and the program ip',
  nft: () => (works('unshare', '-n', 'nft', 'add', 'table', 'inet', 't') ? false : 'needs root, and nft'),
  faketime: () => (FAKETIME === undefined ? 'faketime is not installed' : false),
  openssl: () => opensslProblem,
  'no timesyncd': () => existsSync('/run/systemd/timesync') && 'systemd-timesyncd runs here',
  'a clock that is not synchronised': () =>
    kernelSupports() === '5' ? false : 'a time service has set the clock of this machine',
  'faketime and openssl': () => REASONS.faketime() || REASONS.openssl(),
};

const known = new Map<Need, string | false>();

/** Why this machine cannot do it; false when it can. */
export function missingNeed(need: Need | undefined): string | false {
  if (need === undefined) return false;
  const reason = known.get(need) ?? REASONS[need]();
  known.set(need, reason);
  return reason;
}
