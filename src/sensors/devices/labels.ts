/** Names, labels and link targets of devices in /sys. An unreadable file does not affect other devices. */

import { dirname, join } from 'node:path';
import type { HostFiles } from '../files/host-files.ts';
import { splitLines } from '../files/parse.ts';
import { labelPart } from './keys.ts';

const BYTES_MAX = 512;

/** A name or a label; undefined if it has no letter and no digit. */
export function readLabel(hostFiles: HostFiles, path: string): string | undefined {
  try {
    const [text = ''] = splitLines(hostFiles.read(path, BYTES_MAX), path);
    return labelPart(text) === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * The directory of the device below /sys/devices, the target of its class link. A read there fails if the
 * device has gone, even if another device has its number and its link.
 */
export function devicePathOf(hostFiles: HostFiles, path: string): string {
  const target = readLinkTarget(hostFiles, path);
  return target === '' ? path : join(dirname(path), target);
}

/** The target of the symbolic link; '' if there is none. */
export function readLinkTarget(hostFiles: HostFiles, path: string): string {
  try {
    return hostFiles.readLink(path);
  } catch {
    return '';
  }
}

/**
 * Numbers that a driver counts up each time it is loaded or finds a device: a key with one would be another one
 * after a restart. Numbers of the hardware stay, as in `cpu0-thermal` or `r8169_0_100:00`, a PCI address.
 */
const COUNTS: readonly (readonly [counted: RegExp, name: string])[] = [
  // drivers/net/wireless/intel/iwlwifi, "iwlwifi_%u": one more with each load.
  [/^iwlwifi_\d+$/, 'iwlwifi'],
  // drivers/net/wireless/mediatek/mt76, "mt7915_phy0": the name of the radio, one more with each load.
  [/^((?:mt|ath|rtw|rtl)\d+[a-z]*)_phy\d+/, '$1'],
  // drivers/net/usb, "usb-001:004:03": the device number is one more each time the adapter is plugged in.
  [/^usb_\d{3}:\d{3}(?::[0-9a-f]{2})?$/, 'usb'],
];

/** The name of a chip or a zone, without such a number. */
export function stableDriverName(name: string): string {
  return COUNTS.reduce((text, [counted, stable]) => text.replace(counted, stable), name);
}
