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
