/**
 * The board's fingerprint, to which the credentials are bound: its serial number and every permanent MAC
 * address, each hashed; those that boards can share are marked as weak.
 *
 * The hash keeps them out of the file, but anyone who guesses a serial number can verify it. If something
 * cannot be read (an interface that appears later), the fingerprint has fewer entries.
 * core/model/board-fingerprint.ts compares two.
 */

import { createHash } from 'node:crypto';
import type { Fingerprint } from '../../core/model/board-fingerprint.ts';
import { findMacs, findSerials, type Mac } from './board.ts';

export interface FingerprintOptions {
  /** `/`, or the captured tree of a host in a test. */
  readonly root: string;
}

export function boardFingerprint({ root }: FingerprintOptions): Fingerprint {
  const { unique, shared } = findSerials(root);
  const all = findMacs(root);
  const onBoard = new Set(all.filter(({ isUsb }) => !isUsb).map(({ value }) => value));
  const hashed = (kind: string, macs: readonly Mac[]) =>
    [...new Set(macs.map(({ value }) => `${kind}:${digitsOf('mac', value)}`))].sort();
  const permanent = all.filter(({ isShared }) => !isShared);
  return [
    ...(unique ? [`serial:${digitsOf('serial', unique.value)}`] : []),
    ...hashed('mac', permanent),
    ...hashed(
      'usb',
      permanent.filter(({ value }) => !onBoard.has(value)),
    ),
    ...(shared ? [`weak-serial:${digitsOf('serial', shared.value)}`] : []),
    ...hashed(
      'weak-mac',
      all.filter(({ isShared }) => isShared),
    ),
  ];
}

/** 64 bits: two of 20,000 boards collide once in 9 × 10^10 fleets. */
const DIGITS = 16;

/** The title keeps the digits different from those of a device name, which hashes the same values. */
function digitsOf(kind: 'serial' | 'mac', value: string): string {
  const title = `firstlight board fingerprint 1 ${kind}`;
  return createHash('sha256').update(`${title}\n${value}`).digest('hex').slice(0, DIGITS);
}
