/**
 * The board's fingerprint, to which the credentials are bound: its serial number and every permanent MAC
 * address, each hashed.
 *
 * The hash keeps them out of the file, but anyone who guesses a serial number can verify it. If something
 * cannot be read (an interface that appears later), the fingerprint has fewer entries.
 * core/model/board-fingerprint.ts compares two. Limit: some makers give all USB modems one address; it makes
 * two boards without serial numbers look like one.
 */

import { createHash } from 'node:crypto';
import type { Fingerprint } from '../../core/model/board-fingerprint.ts';
import { findMacs, findSerial } from './board.ts';

export interface FingerprintOptions {
  /** `/`, or the captured tree of a host in a test. */
  readonly root: string;
}

export function boardFingerprint({ root }: FingerprintOptions): Fingerprint {
  const serial = findSerial(root);
  const macs = findMacs(root).map(({ value }) => entry('mac', value));
  return [...(serial === undefined ? [] : [entry('serial', serial.value)]), ...new Set(macs.toSorted())];
}

/** 64 bits: two of 20,000 boards collide once in 9 × 10^10 fleets. */
const DIGITS = 16;

/** The title keeps the digits different from those of a device name, which hashes the same values. */
function entry(kind: 'serial' | 'mac', value: string): string {
  const title = `firstlight board fingerprint 1 ${kind}`;
  const digest = createHash('sha256').update(`${title}\n${value}`).digest('hex');
  return `${kind}:${digest.slice(0, DIGITS)}`;
}
