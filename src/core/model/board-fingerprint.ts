/**
 * The board's fingerprint: whether the board that stored something is the board that runs now.
 *
 * A card copied into another board must be noticed, for its token belongs to the first board's device. A
 * network card that was swapped must not strand a gateway. So another board is only what can be proven: the
 * serial decides where both have one; without it one address in common is enough; what cannot be compared
 * proves nothing. Made by host/fingerprint.ts.
 */

/**
 * Entries `<kind>:<16 hex digits>`, kind `serial` or `mac`: hashes, since a credential file need not tell a
 * serial. Order and repetition mean nothing; entries of a kind not known here are passed over.
 */
export type Fingerprint = readonly string[];

/** False only when it is proven that the two are of different boards. Symmetric. */
export function isSameBoard(stored: Fingerprint, now: Fingerprint): boolean {
  const [serials, serialsNow] = [ofKind('serial', stored), ofKind('serial', now)];
  if (serials.size > 0 && serialsNow.size > 0) {
    return serials.size === serialsNow.size && haveInCommon(serials, serialsNow, serials.size);
  }
  const [macs, macsNow] = [ofKind('mac', stored), ofKind('mac', now)];
  if (macs.size > 0 && macsNow.size > 0) return haveInCommon(macs, macsNow, 1);
  return true;
}

function ofKind(kind: 'serial' | 'mac', fingerprint: Fingerprint): ReadonlySet<string> {
  return new Set(fingerprint.filter((entry) => entry.startsWith(`${kind}:`)));
}

function haveInCommon(first: ReadonlySet<string>, second: ReadonlySet<string>, countMin: number): boolean {
  return [...first].filter((entry) => second.has(entry)).length >= countMin;
}
