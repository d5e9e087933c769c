/**
 * The device's name, when the operator chose none: `gw-` and 12 hex digits that belong to this board with this system on it.
 *
 * Hashed are the machine-id and what the board itself is known by, because either alone repeats: a cloned image brings its
 * machine-id along, a re-flashed board keeps its serial. So each clone is a device of its own and a re-flashed card a new one.
 * The same name comes out whoever asks (board.ts). 12 digits are 48 bits: among 20,000 gateways two names collide once in a
 * million fleets.
 */

import { createHash } from 'node:crypto';
import { expandDeviceName, type NameResult } from '../../core/model/device-name.ts';
import { findMachineId, findMacs, findSerial, readHostText } from './board.ts';

export interface DeviceNameOptions {
  /** `/` on a host; a captured tree in a test. */
  readonly root: string;
  /** The configured name, with or without placeholders (core/device-name.ts). Absent: the default name. */
  readonly template?: string;
}

export function deriveDeviceName({ root, template }: DeviceNameOptions): NameResult {
  const machineId = findMachineId(root);
  const serial = findSerial(root);
  // The first on the board; one on USB only when there is no other, as it may be unplugged.
  const mac = findMacs(root)[0];
  const hostname = readHostText(root, 'proc/sys/kernel/hostname');
  if (template !== undefined) {
    return expandDeviceName(template, { machineId, serial: serial?.value, mac: mac?.value, hostname });
  }
  const board = serial ?? mac;
  if (machineId !== undefined && board !== undefined) {
    return nameFrom([`machine-id=${machineId}`, `board=${board.value}`], ['machine-id', board.source]);
  }
  if (board !== undefined) {
    const warning =
      'there is no machine-id, and after its card is re-flashed this board will have the same name: run systemd-machine-id-setup before the first start, or set device.name';
    return nameFrom([`board=${board.value}`], [board.source], warning);
  }
  if (machineId !== undefined) {
    const warning =
      'the board has no serial number or MAC address, and a clone of this image will have the same name: set device.name, or give each clone its own machine-id';
    return nameFrom([`machine-id=${machineId}`], ['machine-id'], warning);
  }
  if (hostname === undefined) {
    return {
      ok: false,
      problem: 'this host has no machine-id, serial number, MAC address or hostname to be named after',
    };
  }
  const warning =
    'the name rests on the hostname alone, and two hosts that are called the same will have the same name: set device.name';
  return nameFrom([`hostname=${hostname}`], ['hostname'], warning);
}

const DIGITS = 12;
/** The parts are hashed under a title of their own, so that no other use of machine-id yields the same digits. */
const TITLE = 'firstlight device name 1';

function nameFrom(parts: readonly string[], sources: readonly string[], warning?: string): NameResult {
  const digest = createHash('sha256')
    .update([TITLE, ...parts].join('\n'))
    .digest('hex');
  const name = `gw-${digest.slice(0, DIGITS)}`;
  return warning === undefined ? { ok: true, name, sources } : { ok: true, name, sources, warning };
}
