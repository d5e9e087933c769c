/** What devices in /sys call themselves, and where they lead to; a file that cannot be read must not cost the other devices. */

import { dirname, join } from 'node:path';
import type { HostFiles } from '../files/host-files.ts';
import { splitLines } from '../files/parse.ts';
import { labelPart } from './keys.ts';

const BYTES_MAX = 512;

/** A name or a label; one without a letter or a digit is none. */
export function readLabel(hostFiles: HostFiles, path: string): string | undefined {
  try {
    const [text = ''] = splitLines(hostFiles.read(path, BYTES_MAX), path);
    return labelPart(text) === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * The device's own directory, below /sys/devices, to which the link of its class leads. Read there, a device that has gone is
 * missed, though another may have got its number, and with it the link.
 */
export function devicePathOf(hostFiles: HostFiles, path: string): string {
  const target = readLinkTarget(hostFiles, path);
  return target === '' ? path : join(dirname(path), target);
}

/** Where the symbolic link points; '' when there is none. */
export function readLinkTarget(hostFiles: HostFiles, path: string): string {
  try {
    return hostFiles.readLink(path);
  } catch {
    return '';
  }
}
