/** Small test hosts: the files of a board in /proc, /sys and /etc, in a temporary directory. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { hostDirectory } from '../host-directory.ts';

export type Files = Readonly<Record<string, string>>;

export const MACHINE_ID: Files = { 'etc/machine-id': 'fedcba9876543210fedcba9876543210\n' };
export const BOARD = serial('10000000abcdef01');
export const HOSTNAME: Files = { 'proc/sys/kernel/hostname': 'pi\n' };
/** Burnt in: of the documentation range of RFC 7042. */
export const ETH0 = mac('eth0', '00:00:5e:00:53:01');

/** The root directory of a host with these files; removed after the test. */
export function hostOf(t: TestContext, ...parts: readonly Files[]): string {
  const root = hostDirectory(t);
  for (const [path, text] of parts.flatMap((files) => Object.entries(files))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    // Independent of the umask.
    chmodSync(join(root, path), 0o644);
  }
  return root;
}

/** The files of one interface; by default a physical one on the board with a permanent address. */
export function mac(name: string, address: string, { type = '0', device = true, usb = false } = {}): Files {
  const folder = `sys/class/net/${name}`;
  return {
    [`${folder}/address`]: `${address}\n`,
    [`${folder}/addr_assign_type`]: `${type}\n`,
    ...(device ? { [`${folder}/device/modalias`]: 'test\n' } : {}),
    ...(usb ? { [`${folder}/device/bInterfaceNumber`]: '00\n' } : {}),
  };
}

/** A serial number in the device tree. */
export function serial(text: string): Files {
  return { 'proc/device-tree/serial-number': `${text}\0` };
}
