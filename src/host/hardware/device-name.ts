/**
 * The default device name: `gw-` and 12 hex digits, a hash of the machine-id and of the board's serial number
 * or MAC address.
 *
 * Each alone repeats: a cloned image brings its machine-id along, a re-flashed board keeps its serial number.
 * So a clone is another device, and so is a re-flashed board. A serial number or address that boards share is
 * not used. Among 20,000 gateways two names collide once in a million fleets (48 bits).
 */

import { createHash } from 'node:crypto';
import { expandDeviceName, type NameResult } from '../../core/model/device-name.ts';
import { findMachineId, findMacs, findSerials, readHostText } from './board.ts';

export interface DeviceNameOptions {
  /** `/`, or the captured tree of a host in a test. */
  readonly root: string;
  /** The configured name, possibly with placeholders (core/model/device-name.ts). Default: a hash. */
  readonly template?: string;
}

export function deriveDeviceName({ root, template }: DeviceNameOptions): NameResult {
  const machineId = findMachineId(root);
  const { unique: serial, shared } = findSerials(root);
  const macs = findMacs(root);
  // One on the board if there is any, because an interface on USB can be unplugged.
  const mac = macs.find(({ isShared }) => !isShared);
  const hostname = readHostText(root, 'proc/sys/kernel/hostname');
  if (template !== undefined) {
    const [anySerial, anyMac] = [serial ?? shared, mac ?? macs[0]];
    const sources = { machineId, serial: anySerial?.value, mac: anyMac?.value, hostname };
    return withTemplateWarning(expandDeviceName(template, sources), {
      serial: serial === undefined,
      mac: mac === undefined,
    });
  }
  const board = serial ?? mac;
  if (machineId !== undefined && board !== undefined) {
    const warning = board === mac && mac.isUsb ? USB_WARNING : undefined;
    return hashName(
      [`machine-id=${machineId}`, `board=${board.value}`],
      ['machine-id', board.source],
      warning,
    );
  }
  if (board !== undefined) {
    const warning =
      'this host has no machine-id, so this board keeps its name when it is re-flashed: run systemd-machine-id-setup before the first start, or set device.name';
    return hashName([`board=${board.value}`], [board.source], warning);
  }
  if (machineId !== undefined) {
    const warning =
      'this board has no serial number or MAC address of its own, so each clone of this image gets the same name: set device.name, or give each clone its own machine-id';
    return hashName([`machine-id=${machineId}`], ['machine-id'], warning);
  }
  if (hostname === undefined) {
    return {
      ok: false,
      problem:
        'this host has no machine-id, serial number, MAC address or hostname from which to derive a name',
    };
  }
  const warning =
    'the name is derived from the hostname only, so hosts with the same hostname get the same name: set device.name';
  return hashName([`hostname=${hostname}`], ['hostname'], warning);
}

const USB_WARNING =
  'this board has no serial number, and its only permanent MAC address is that of a USB adapter or modem, which some makers give to all of a kind: set device.name, or give each clone of this image its own machine-id';

/** A template is used as it is written, also with an identifier that boards share; the operator is told. */
function withTemplateWarning(
  result: NameResult,
  isWeak: Readonly<Record<'serial' | 'mac', boolean>>,
): NameResult {
  if (!result.ok) return result;
  const warnings = { serial: SERIAL_WARNING, mac: MAC_WARNING };
  const weak = (['serial', 'mac'] as const).find((each) => isWeak[each] && result.sources.includes(each));
  return weak === undefined ? result : { ...result, warning: warnings[weak] };
}

const SERIAL_WARNING =
  'all boards of this kind have the same serial number, so {serial} does not distinguish them: use another placeholder in device.name';
const MAC_WARNING =
  'this board has no MAC address of its own, and the one for {mac} can be random at each boot or that of many boards: use another placeholder in device.name';

const DIGITS = 12;
/** Hashed before the parts, so that no other use of the machine-id yields the same digits. */
const TITLE = 'firstlight device name 1';

function hashName(parts: readonly string[], sources: readonly string[], warning?: string): NameResult {
  const digest = createHash('sha256')
    .update([TITLE, ...parts].join('\n'))
    .digest('hex');
  const name = `gw-${digest.slice(0, DIGITS)}`;
  return warning === undefined ? { ok: true, name, sources } : { ok: true, name, sources, warning };
}
