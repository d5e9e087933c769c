/**
 * This board's fingerprint, for the credential record to be bound to: its serial and every burnt-in address, each hashed.
 *
 * Hashed under a title of its own, so that neither the serial nor an address lies in the file and none of the digits is found in
 * a device's name; a cloak, not a lock, as anyone who guesses a serial can check it. core/fingerprint.ts says when two are of one board.
 * What the board hides (an interface still to appear) makes the fingerprint poorer and never throws.
 * Limit: some makers burn one and the same address into every USB modem; such a modem lets two boards without serials pass for one.
 */

import { createHash } from 'node:crypto';
import type { Fingerprint } from '../../core/model/board-fingerprint.ts';
import { findMacs, findSerial } from './board.ts';

export interface FingerprintOptions {
  /** `/` on a host; a captured tree in a test. */
  readonly root: string;
}

export function boardFingerprint({ root }: FingerprintOptions): Fingerprint {
  const serial = findSerial(root);
  const macs = findMacs(root).map(({ value }) => entry('mac', value));
  return [...(serial === undefined ? [] : [entry('serial', serial.value)]), ...new Set(macs.toSorted())];
}

/** 64 bits: that two of 20,000 boards collide happens once in ninety thousand million fleets. */
const DIGITS = 16;

function entry(kind: 'serial' | 'mac', value: string): string {
  const title = `firstlight board fingerprint 1 ${kind}`;
  const digest = createHash('sha256').update(`${title}\n${value}`).digest('hex');
  return `${kind}:${digest.slice(0, DIGITS)}`;
}
