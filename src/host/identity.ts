/**
 * The device's name, when the operator chose none: `gw-` and 12 hex digits that belong to this board with this system on it.
 *
 * Hashed are the machine-id and what the board itself is known by, because either alone repeats: a cloned image brings its
 * machine-id along, a re-flashed board keeps its serial. So each clone is a device of its own and a re-flashed card a new one.
 * The same name comes out whoever asks: a serial that only root may read (DMI's, on most PCs) is not used, for the agent,
 * which is not root, could not. 12 digits are 48 bits: among 20,000 gateways two names collide once in a million fleets.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expandDeviceName, type NameResult } from '../core/device-name.ts';
import { isPlaceholderText } from './facts-text.ts';

export interface IdentityOptions {
  /** `/` on a host; a captured tree in a test. */
  readonly root: string;
  /** The configured name, with or without placeholders (core/device-name.ts). Absent: the default name. */
  readonly template?: string;
}

export function deviceName({ root, template }: IdentityOptions): NameResult {
  const machineId = findMachineId(root);
  const serial = findSerial(root);
  const mac = findMac(root);
  const hostname = text(root, 'proc/sys/kernel/hostname');
  if (template !== undefined) {
    return expandDeviceName(template, { machineId, serial: serial?.value, mac: mac?.value, hostname });
  }
  const board = serial ?? mac;
  if (machineId !== undefined && board !== undefined) {
    return named([`machine-id=${machineId}`, `board=${board.value}`], ['machine-id', board.source]);
  }
  if (board !== undefined) {
    const warning =
      'There is no machine-id: after its card is re-flashed this board will have the same name.';
    return named([`board=${board.value}`], [board.source], warning);
  }
  if (machineId !== undefined) {
    const warning =
      'The board has no serial number or MAC address: a clone of this image will have the same name.';
    return named([`machine-id=${machineId}`], ['machine-id'], warning);
  }
  if (hostname === undefined) {
    return {
      ok: false,
      problem: 'this host has no machine-id, serial number, MAC address or hostname to be named after',
    };
  }
  const warning =
    'The name rests on the hostname alone: two hosts that are called the same will have the same name.';
  return named([`hostname=${hostname}`], ['hostname'], warning);
}

interface Found {
  readonly value: string;
  readonly source: string;
}

const DIGITS = 12;
/** The parts are hashed under a title of their own, so that no other use of machine-id yields the same digits. */
const TITLE = 'firstlight device name 1';

function named(parts: readonly string[], sources: readonly string[], warning?: string): NameResult {
  const digest = createHash('sha256')
    .update([TITLE, ...parts].join('\n'))
    .digest('hex');
  const name = `gw-${digest.slice(0, DIGITS)}`;
  return warning === undefined ? { ok: true, name, sources } : { ok: true, name, sources, warning };
}

function findMachineId(root: string): string | undefined {
  for (const path of ['etc/machine-id', 'var/lib/dbus/machine-id']) {
    const id = text(root, path)?.toLowerCase();
    // systemd writes "uninitialized" into an image that is to get its id at its first boot.
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

function findSerial(root: string): Found | undefined {
  for (const { path, source } of SERIALS) {
    if (!isForAllToRead(join(root, path))) continue;
    const value = text(root, path);
    if (value !== undefined && !isPlaceholderText(value)) return { value, source };
  }
  return undefined;
}

function isForAllToRead(path: string): boolean {
  const OTHERS_MAY_READ = 0o004;
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MAY_READ) !== 0;
}

/** The burnt-in address of the first physical interface; one on USB only when there is no other, as it may be unplugged. */
function findMac(root: string): Found | undefined {
  const folder = join(root, 'sys/class/net');
  if (!existsSync(folder)) return undefined;
  const permanent = readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'device')))
    .filter((name) => text(folder, `${name}/addr_assign_type`) === '0')
    .map((name) => ({
      name,
      onUsb: existsSync(join(folder, name, 'device/bInterfaceNumber')),
      address: text(folder, `${name}/address`)?.toLowerCase() ?? '',
    }))
    .filter(
      ({ address }) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) && address !== '00:00:00:00:00:00',
    )
    .toSorted((a, b) => Number(a.onUsb) - Number(b.onUsb) || (a.name < b.name ? -1 : 1));
  const first = permanent[0];
  if (first === undefined) return undefined;
  return { value: first.address.replaceAll(':', ''), source: `mac of ${first.name}` };
}

/** A file's text without the NUL the device tree ends it with; undefined when it is missing, unreadable or empty. */
function text(root: string, path: string): string | undefined {
  try {
    const trimmed = readFileSync(join(root, path), 'utf8').replaceAll('\0', '').trim();
    return trimmed === '' ? undefined : trimmed;
  } catch {
    return undefined;
  }
}
