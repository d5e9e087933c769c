/**
 * Debian 13 as files: made once by mmdebstrap (about a minute, 290 MB), kept as a tar in /var/tmp, unpacked in each run.
 *
 * What a minimal gateway has and nothing of firstlight. A tar half written when the power failed is never taken for a whole one.
 */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { run } from './command.ts';

export const ROOT_TAR = '/var/tmp/firstlight-trixie.tar';
const PACKAGES = 'systemd,systemd-sysv,dbus,udev,iproute2,procps,kmod,nodejs';
const MADE_WITHIN_MS = 400_000;

export async function makeRootTar(): Promise<void> {
  if (existsSync(ROOT_TAR)) return;
  const half = `${ROOT_TAR}.${process.pid}`;
  try {
    const what = ['--quiet', '--variant=minbase', '--format=tar', `--include=${PACKAGES}`];
    await run(['mmdebstrap', ...what, 'trixie', half], MADE_WITHIN_MS);
    await rename(half, ROOT_TAR);
  } finally {
    await rm(half, { force: true });
  }
}

export async function unpackRoot(directory: string): Promise<void> {
  await mkdir(directory);
  await run(['tar', '-xf', ROOT_TAR, '-C', directory, '--numeric-owner'], 120_000);
}
