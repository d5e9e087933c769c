/** Numbers for people: 1288490189 B becomes 1.2 GiB. Programs get the plain number (`--json`). */

const PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/** An amount in `unit` (B or B/s), scaled by powers of 1024, with one decimal where it is scaled. */
export function humanised(bytes: number, unit: string): readonly [amount: string, unit: string] {
  let amount = bytes;
  let power = 0;
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while (amount >= 1023.95 && power < PREFIXES.length - 1) {
    amount /= 1024;
    power += 1;
  }
  return [power === 0 ? String(bytes) : amount.toFixed(1), `${PREFIXES[power]}${unit}`];
}
