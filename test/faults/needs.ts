/** What some faults need of the machine, found by trying. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { opensslProblem } from '../doubles/certificates.ts';
import { dtlsProblem } from '../transport/dtls/dtls-server.ts';

export type Need =
  | 'root'
  | 'mounts'
  | 'network namespaces'
  | 'nft'
  | 'faketime'
  | 'no timesyncd'
  | 'a clock that is not synchronised'
  | 'openssl'
  | 'the programs for DTLS'
  | 'faketime and openssl';

const PRELOADED = 'libfaketimeMT.so.1';

/** The library of faketime, for LD_PRELOAD. */
export const FAKETIME: string | undefined = existsSync('/usr/lib')
  ? readdirSync('/usr/lib')
      .map((name) => `/usr/lib/${name}/faketime/${PRELOADED}`)
      .find((path) => existsSync(path))
  : undefined;

const succeeds = (command: string, ...words: readonly string[]) => spawnSync(command, words).status === 0;

/**
 * The number of adjtimex(2) (asm/unistd.h), which returns 5 for "not synchronised". A test must not change
 * that, because it is the state of the whole machine.
 */
const ADJTIMEX: Readonly<Record<string, number>> = { x64: 159, arm64: 171 };
const kernelClockState = (): string =>
  spawnSync('perl', ['-e', `my $t = "\\0" x 256; print syscall(${ADJTIMEX[process.arch] ?? -1}, $t)`], {
    encoding: 'utf8',
  }).stdout;

const REASONS: Readonly<Record<Need, () => string | false>> = {
  root: () =>
    process.getuid?.() === 0 && succeeds('setpriv', '--version') ? false : 'needs root, and setpriv',
  mounts: () =>
    succeeds('unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt') ? false : 'needs root, to mount',
  'network namespaces': () =>
    succeeds('unshare', '-n', 'ip', 'link', 'set', 'lo', 'up') ? false : 'needs root, and the program ip',
  nft: () => (succeeds('unshare', '-n', 'nft', 'add', 'table', 'inet', 't') ? false : 'needs root, and nft'),
  faketime: () => (FAKETIME === undefined ? 'faketime is not installed' : false),
  openssl: () => opensslProblem,
  'the programs for DTLS': () => dtlsProblem,
  'no timesyncd': () => existsSync('/run/systemd/timesync') && 'systemd-timesyncd runs here',
  'a clock that is not synchronised': () =>
    kernelClockState() === '5' ? false : 'a time service has set the clock of this machine',
  'faketime and openssl': () => REASONS.faketime() || REASONS.openssl(),
};

const reasons = new Map<Need, string | false>();

/** The reason why this machine cannot do it; false if it can. */
export function missingNeed(need: Need | undefined): string | false {
  if (need === undefined) return false;
  const reason = reasons.get(need) ?? REASONS[need]();
  reasons.set(need, reason);
  return reason;
}
