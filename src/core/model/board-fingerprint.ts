/**
 * Whether the board that stored something is the board that runs now.
 *
 * An SD card copied into another board must be noticed, because its token belongs to the device of the first
 * board. A replaced network card must not strand a gateway. So the boards differ only if that is proven: the
 * serials decide if both have one; otherwise one common MAC address suffices; without comparable entries they
 * count as the same.
 */

/**
 * Entries `<kind>:<16 hex digits>`, kind `serial` or `mac`: hashes, so that a credential file reveals no
 * serial. Order and repetition do not matter; entries of another kind are ignored. Made by
 * host/hardware/fingerprint.ts.
 */
export type Fingerprint = readonly string[];

/** False only if the boards are proven to differ. Symmetric. */
export function isSameBoard(stored: Fingerprint, present: Fingerprint): boolean {
  const [serials, presentSerials] = [ofKind('serial', stored), ofKind('serial', present)];
  if (serials.size > 0 && presentSerials.size > 0) {
    return serials.size === presentSerials.size && haveInCommon(serials, presentSerials, serials.size);
  }
  const [macs, presentMacs] = [ofKind('mac', stored), ofKind('mac', present)];
  if (macs.size > 0 && presentMacs.size > 0) return haveInCommon(macs, presentMacs, 1);
  return true;
}

function ofKind(kind: 'serial' | 'mac', fingerprint: Fingerprint): ReadonlySet<string> {
  return new Set(fingerprint.filter((entry) => entry.startsWith(`${kind}:`)));
}

function haveInCommon(first: ReadonlySet<string>, second: ReadonlySet<string>, countMin: number): boolean {
  return [...first].filter((entry) => second.has(entry)).length >= countMin;
}
