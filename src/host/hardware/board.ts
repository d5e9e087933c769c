/**
 * What identifies a board: its serial number, the permanent MAC addresses of its interfaces, and the
 * machine-id of its system.
 *
 * Every user gets the same result, so a serial number that only root can read (DMI's on most PCs) is not
 * used. Placeholders of the firmware are not serial numbers. Never throws: what cannot be read is absent.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPlaceholderText } from './facts-text.ts';

export interface Identifier {
  readonly value: string;
  /** Where it was found, for an operator. */
  readonly source: string;
}

export function findMachineId(root: string): string | undefined {
  for (const path of ['etc/machine-id', 'var/lib/dbus/machine-id']) {
    const id = readHostText(root, path)?.toLowerCase();
    // systemd writes "uninitialized" into an image that gets its id at the first boot.
    if (id !== undefined && /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id)) return id;
  }
  return undefined;
}

const SERIALS: readonly { readonly path: string; readonly source: string }[] = [
  { path: 'proc/device-tree/serial-number', source: 'device-tree serial-number' },
  { path: 'sys/firmware/devicetree/base/serial-number', source: 'device-tree serial-number' },
  { path: 'sys/class/dmi/id/product_serial', source: 'dmi product_serial' },
  { path: 'sys/class/dmi/id/board_serial', source: 'dmi board_serial' },
  { path: 'sys/class/dmi/id/product_uuid', source: 'dmi product_uuid' },
];

export function findSerial(root: string): Identifier | undefined {
  for (const { path, source } of SERIALS) {
    if (!isWorldReadable(join(root, path))) continue;
    const value = readHostText(root, path);
    if (value !== undefined && !isPlaceholderText(value)) return { value, source };
  }
  return undefined;
}

function isWorldReadable(path: string): boolean {
  const OTHERS_READ = 0o004;
  return attempt(() => (statSync(path).mode & OTHERS_READ) !== 0) ?? false;
}

/**
 * The permanent MAC addresses (12 hex digits) of all physical interfaces: on the board first, then on USB,
 * each by name.
 */
export function findMacs(root: string): readonly Identifier[] {
  const folder = join(root, 'sys/class/net');
  const names = attempt(() => readdirSync(folder)) ?? [];
  return names
    .filter((name) => existsSync(join(folder, name, 'device')))
    .filter((name) => readHostText(folder, `${name}/addr_assign_type`) === '0')
    .map((name) => ({
      name,
      isUsb: existsSync(join(folder, name, 'device/bInterfaceNumber')),
      address: readHostText(folder, `${name}/address`)?.toLowerCase() ?? '',
    }))
    .filter(
      ({ address }) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) && address !== '00:00:00:00:00:00',
    )
    .toSorted((a, b) => Number(a.isUsb) - Number(b.isUsb) || (a.name < b.name ? -1 : 1))
    .map(({ name, address }) => ({ value: address.replaceAll(':', ''), source: `mac of ${name}` }));
}

/** A file's text without the NUL at the end of a device-tree property; undefined if unreadable or empty. */
export function readHostText(root: string, path: string): string | undefined {
  const text = attempt(() => readFileSync(join(root, path), 'utf8').replaceAll('\0', '').trim());
  return text === '' ? undefined : text;
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
