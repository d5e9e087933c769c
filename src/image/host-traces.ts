/**
 * Finds other data of the host that clones of a disk must not share, each with the command that clears it. The agent never
 * changes it, because it belongs to the host.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { locateInImage } from './locate.ts';

export interface Trace {
  readonly what: string;
  /** Below the root. */
  readonly paths: readonly string[];
  readonly clear: string;
}

interface TraceRule {
  readonly what: string;
  /** Absolute, with `*` in the last part only. */
  readonly patterns: readonly string[];
  readonly clear: string;
}

const TRACE_RULES: readonly TraceRule[] = [
  {
    what: 'SSH host keys: every clone would have the same ones',
    patterns: ['/etc/ssh/ssh_host_*'],
    clear:
      "rm /etc/ssh/ssh_host_*   (make sure that they are generated again: ssh-keygen -A, or Debian's regenerate_ssh_host_keys)",
  },
  {
    what: 'the random seed: every clone would start with the same one',
    patterns: ['/var/lib/systemd/random-seed'],
    clear: 'rm /var/lib/systemd/random-seed',
  },
  {
    what: 'DHCP leases: clones may request the same address',
    patterns: [
      '/var/lib/dhcp/*.leases',
      '/var/lib/dhcpcd/*.lease*',
      '/var/lib/NetworkManager/*.lease',
      '/var/lib/NetworkManager/secret_key',
    ],
    clear:
      'rm /var/lib/dhcp/*.leases /var/lib/dhcpcd/*.lease* /var/lib/NetworkManager/*.lease /var/lib/NetworkManager/secret_key',
  },
  {
    what: 'the journal, which contains the log of this gateway (Firstlight has no other logs)',
    patterns: ['/var/log/journal/*'],
    clear: 'journalctl --rotate --vacuum-time=1s',
  },
  {
    what: 'configurations that an import replaced, which may contain a secret',
    patterns: ['/etc/firstlight/conf.d/00-boot.toml.*'],
    clear: 'rm /etc/firstlight/conf.d/00-boot.toml.*.bak',
  },
  {
    what: 'the host name, unless another program sets it on each gateway',
    patterns: ['/etc/hostname'],
    clear: 'hostnamectl hostname localhost',
  },
];

/** Undefined if it is empty, missing or "uninitialized": then the next boot generates it (machine-id(5)). */
export function readMachineId(root: string): string | undefined {
  try {
    const id = readFileSync(locateInImage(root, '/etc/machine-id'), 'utf8').trim();
    return id === '' || id === 'uninitialized' ? undefined : id;
  } catch {
    return undefined;
  }
}

export const CLEAR_MACHINE_ID = 'truncate -s 0 /etc/machine-id; rm -f /var/lib/dbus/machine-id';

export function findOtherTraces(root: string): readonly Trace[] {
  return TRACE_RULES.map(({ what, patterns, clear }) => ({
    what,
    paths: patterns.flatMap((pattern) => matches(root, pattern)),
    clear,
  })).filter(({ paths }) => paths.length > 0);
}

function matches(root: string, pattern: string): readonly string[] {
  const [head = '', tail = ''] = basename(pattern).split('*');
  const exact = !pattern.includes('*');
  try {
    return readdirSync(locateInImage(root, dirname(pattern)))
      .filter((name) => (exact ? name === head : name.startsWith(head) && name.endsWith(tail)))
      .map((name) => join(dirname(pattern), name));
  } catch {
    return [];
  }
}
