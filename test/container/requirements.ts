/** Why this machine cannot run containers for the tests: found by looking, told as one sentence each. */

import { existsSync } from 'node:fs';
import { cgroupHierarchies } from './cleanup.ts';
import { attempt } from './command.ts';
import { ROOT_TAR } from './root-files.ts';

/** Program and the Debian package that brings it. */
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

/** Installs what is missing where apt can; undefined when all is there. */
export async function containerProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'containers need Linux and root';
  if (cgroupHierarchies().length === 0) return 'no control groups of version 2 below /sys/fs/cgroup';
  const missingTools = await missing();
  if (missingTools.length > 0) {
    if ((await attempt(['apt-get', '--version'])).code !== 0)
      return `missing and no apt to install them: ${missingTools.join(', ')}`;
    const wanted = [
      ...new Set(missingTools.map((program) => (program === 'mmdebstrap' ? program : PROGRAMS[program]))),
    ];
    await attempt(['apt-get', 'update', '-qq'], 120_000);
    await attempt(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...wanted], 240_000);
    const remaining = await missing();
    if (remaining.length > 0) return `missing and apt could not install them: ${remaining.join(', ')}`;
  }
  const { code, out } = await attempt(['unshare', '--mount', '--pid', '--net', '--fork', 'true']);
  return code === 0 ? undefined : `no namespaces here: ${out.trim()}`;
}

async function missing(): Promise<(keyof typeof PROGRAMS | 'mmdebstrap')[]> {
  const wanted = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];
  const all = existsSync(ROOT_TAR) ? wanted : [...wanted, 'mmdebstrap' as const];
  const missingTools: typeof all = [];
  for (const program of all) if ((await attempt(['which', program])).code !== 0) missingTools.push(program);
  return missingTools;
}
