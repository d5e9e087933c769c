/**
 * What identifies a board: its serial number, the permanent MAC addresses of its interfaces, and the
 * machine-id of its system.
 *
 * Every user gets the same result, so a serial number that only root can read (DMI's on most PCs) is not
 * used. Placeholders of the firmware are not serial numbers. What boards can share (shared-identifiers.ts) is
 * reported apart. Never throws: what cannot be read is absent.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPlaceholderText } from './facts-text.ts';
import { isSharedMac, isSharedSerial } from './shared-identifiers.ts';

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

export interface Serials {
  readonly unique?: Identifier;
  /** One that boards of a kind share, if it comes first. */
  readonly shared?: Identifier;
}

export function findSerials(root: string): Serials {
  let shared: Identifier | undefined;
  for (const { path, source } of SERIALS) {
    if (!isWorldReadable(join(root, path))) continue;
    const value = readHostText(root, path);
    if (value === undefined || isPlaceholderText(value)) continue;
    if (!isSharedSerial(value)) return { unique: { value, source }, ...(shared && { shared }) };
    shared ??= { value, source };
  }
  // Where the boot loader sets one for all boards, the kernel of the maker shows the number of the processor.
  const unique = shared && findCpuSerial(root);
  return { ...(unique && { unique }), ...(shared && { shared }) };
}

function findCpuSerial(root: string): Identifier | undefined {
  const value = /^Serial\s*:\s*(\S+)$/m.exec(readHostText(root, 'proc/cpuinfo') ?? '')?.[1];
  if (value === undefined || isPlaceholderText(value) || isSharedSerial(value)) return undefined;
  return { value, source: 'cpuinfo Serial' };
}

function isWorldReadable(path: string): boolean {
  const OTHERS_READ = 0o004;
  return attempt(() => (statSync(path).mode & OTHERS_READ) !== 0) ?? false;
}

export interface Mac extends Identifier {
  /** An adapter, a modem: it can be unplugged, and some makers give all of a kind one address. */
  readonly isUsb: boolean;
  /** It identifies no board. */
  readonly isShared: boolean;
}

/**
 * The permanent MAC addresses (12 hex digits) of all physical interfaces: on the board first, then on USB,
 * each by name.
 */
export function findMacs(root: string): readonly Mac[] {
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
    .map(({ name, address, isUsb }) => {
      const value = address.replaceAll(':', '');
      return { value, source: `mac of ${name}`, isUsb, isShared: isSharedMac(value) };
    });
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
