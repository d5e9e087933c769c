/** Checks whether this machine can run the container tests, and names what is missing. */

import { existsSync } from 'node:fs';
import { cgroupHierarchies } from './cleanup.ts';
import { attempt } from './command.ts';
import { ROOT_TAR } from './root-files.ts';

/** Program and the Debian package that contains it. */
const PROGRAMS = {
  'systemd-nspawn': 'systemd-container',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  'dpkg-deb': 'dpkg',
  'mkfs.ext4': 'e2fsprogs',
  xfs_io: 'xfsprogs',
  losetup: 'mount',
} as const;

/** Installs missing programs with apt if possible. Returns what is missing; undefined: nothing. */
export async function containerProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'containers need Linux and root';
  if (cgroupHierarchies().length === 0) return 'no version 2 control groups below /sys/fs/cgroup';
  const missingTools = await missing();
  if (missingTools.length > 0) {
    if ((await attempt(['apt-get', '--version'])).code !== 0)
      return `not installed, and there is no apt to install them: ${missingTools.join(', ')}`;
    const wanted = [
      ...new Set(missingTools.map((program) => (program === 'mmdebstrap' ? program : PROGRAMS[program]))),
    ];
    await attempt(['apt-get', 'update', '-qq'], 120_000);
    await attempt(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...wanted], 240_000);
    const remaining = await missing();
    if (remaining.length > 0) return `not installed, and apt could not install them: ${remaining.join(', ')}`;
  }
  const { code, out } = await attempt(['unshare', '--mount', '--pid', '--net', '--fork', 'true']);
  return code === 0 ? undefined : `namespaces are not permitted here: ${out.trim()}`;
}

async function missing(): Promise<(keyof typeof PROGRAMS | 'mmdebstrap')[]> {
  const wanted = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];
  const all = existsSync(ROOT_TAR) ? wanted : [...wanted, 'mmdebstrap' as const];
  const missingTools: typeof all = [];
  for (const program of all) if ((await attempt(['which', program])).code !== 0) missingTools.push(program);
  return missingTools;
}
