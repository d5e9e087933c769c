/**
 * The files of a minimal Debian 13 gateway without firstlight: mmdebstrap creates them once (about a minute,
 * 290 MB), /var/tmp keeps them as a tar, each run unpacks it. A tar that was not written to its end is never
 * used.
 */

import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { run } from './command.ts';

export const ROOT_TAR = '/var/tmp/firstlight-trixie.tar';
const PACKAGES = 'systemd,systemd-sysv,dbus,udev,iproute2,procps,kmod,nodejs';
const CREATED_WITHIN_MS = 400_000;

export async function createRootTar(): Promise<void> {
  if (existsSync(ROOT_TAR)) return;
  const partial = `${ROOT_TAR}.${process.pid}`;
  try {
    const options = ['--quiet', '--variant=minbase', '--format=tar', `--include=${PACKAGES}`];
    await run(['mmdebstrap', ...options, 'trixie', partial], CREATED_WITHIN_MS);
    await rename(partial, ROOT_TAR);
  } finally {
    await rm(partial, { force: true });
  }
}

export async function unpackRoot(directory: string): Promise<void> {
  await mkdir(directory);
  await run(['tar', '-xf', ROOT_TAR, '-C', directory, '--numeric-owner'], 120_000);
}
