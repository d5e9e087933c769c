/**
 * Whether the board that stored something is the board that runs now.
 *
 * An SD card copied into another board must be noticed, because its token belongs to the device of the first
 * board. A replaced network card must not strand a gateway. So the boards differ only if that is proven:
 *
 *   both have a serial number ─▶ the serial numbers decide
 *   they have an address in common ─▶ one board, unless the address is on USB and both have others on the board
 *   both have addresses, none in common ─▶ two boards
 *   otherwise nothing is proven: one board
 *
 * `uncertain`: what they have in common can be common to several boards, and the rest differs.
 */

/**
 * Entries `<kind>:<16 hex digits>`, made by host/hardware/fingerprint.ts: hashes, so that a credential file
 * reveals no serial number. Order and repetition do not matter; entries of another kind are ignored.
 *
 *   serial, mac             a serial number, a burnt-in MAC address
 *   usb                     the address of a `mac` entry is on USB
 *   weak-serial, weak-mac   identifies no board (host/hardware/shared-identifiers.ts); of the present board only
 *
 * An earlier agent stored all addresses as `mac` and every serial number as `serial`, also those that are weak
 * today, and no `usb`. Its records stay valid: a weak entry of this board that is stored as `mac` or `serial`
 * shows that the record is its own, as far as the earlier agent could know.
 */
export type Fingerprint = readonly string[];

/** Entries of a stored fingerprint: adapters that come and go must not fill the file. */
export const FINGERPRINT_ENTRIES_MAX = 32;

export type BoardComparison = 'same' | 'uncertain' | 'different';

/** False only if the boards are proven to differ. Symmetric. */
export function isSameBoard(stored: Fingerprint, present: Fingerprint): boolean {
  return compareBoards(stored, present) !== 'different';
}

/** Symmetric. */
export function compareBoards(one: Fingerprint, other: Fingerprint): BoardComparison {
  const pair = [evidenceOf(one, other), evidenceOf(other, one)] as const;
  const [a, b] = pair;
  if (a.serials.size > 0 && b.serials.size > 0) {
    if (!isEqual(a.serials, b.serials)) return 'different';
    return haveBoth(pair, 'onBoard') && !overlap(a.onBoard, b.onBoard) ? 'uncertain' : 'same';
  }
  if (overlap(a.onBoard, b.onBoard)) return 'same';
  const isEarlier = a.isEarlier || b.isEarlier;
  if (overlap(a.macs, b.macs) && !haveBoth(pair, 'onBoard')) return 'same';
  if (!haveBoth(pair, 'macs')) return 'same';
  return isEarlier ? 'uncertain' : 'different';
}

/** The entries that identify a board: those that are stored. */
export function identifyingEntries(fingerprint: Fingerprint): Fingerprint {
  return fingerprint.filter((entry) => /^(serial|mac|usb):/.test(entry));
}

/** Whether anything identifies the board. */
export function isIdentified(fingerprint: Fingerprint): boolean {
  return fingerprint.some((entry) => /^(serial|mac):/.test(entry));
}

/**
 * The entries to store for this board: the present ones, and those stored of interfaces that are not present,
 * such as of a late driver; without what is weak on this board. At most FINGERPRINT_ENTRIES_MAX.
 */
export function mergeFingerprints(stored: Fingerprint, present: Fingerprint): Fingerprint {
  const weak = new Set(present.filter((entry) => entry.startsWith('weak-')));
  const kept = identifyingEntries(stored).filter((entry) => !weak.has(`weak-${entry}`));
  const all = new Set([...identifyingEntries(present), ...kept]);
  return [...all].slice(0, FINGERPRINT_ENTRIES_MAX).sort();
}

interface Evidence {
  readonly serials: ReadonlySet<string>;
  readonly macs: ReadonlySet<string>;
  /** Of `macs`, those that are not on USB as far as either fingerprint knows. */
  readonly onBoard: ReadonlySet<string>;
  /** Stored by an earlier agent, and the other fingerprint confirms it by something that is weak or on USB. */
  readonly isEarlier: boolean;
}

/** What `fingerprint` proves, without what `other` knows to be weak. */
function evidenceOf(fingerprint: Fingerprint, other: Fingerprint): Evidence {
  const without = (all: ReadonlySet<string>, some: ReadonlySet<string>) =>
    new Set([...all].filter((digits) => !some.has(digits)));
  const [serials, macs, usb] = [
    ofKind('serial', fingerprint),
    ofKind('mac', fingerprint),
    ofKind('usb', fingerprint),
  ];
  const [weakSerials, weakMacs, otherUsb] = [
    ofKind('weak-serial', other),
    ofKind('weak-mac', other),
    ofKind('usb', other),
  ];
  const identifying = without(macs, weakMacs);
  return {
    serials: without(serials, weakSerials),
    macs: identifying,
    onBoard: without(without(identifying, usb), otherUsb),
    isEarlier:
      overlap(serials, weakSerials) || overlap(macs, weakMacs) || overlap(without(macs, usb), otherUsb),
  };
}

function ofKind(kind: string, fingerprint: Fingerprint): ReadonlySet<string> {
  const prefix = `${kind}:`;
  return new Set(
    fingerprint.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length)),
  );
}

function haveBoth([a, b]: readonly [Evidence, Evidence], what: 'macs' | 'onBoard'): boolean {
  return a[what].size > 0 && b[what].size > 0;
}

function overlap(first: ReadonlySet<string>, second: ReadonlySet<string>): boolean {
  return [...first].some((digits) => second.has(digits));
}

function isEqual(first: ReadonlySet<string>, second: ReadonlySet<string>): boolean {
  return first.size === second.size && [...first].every((digits) => second.has(digits));
}
