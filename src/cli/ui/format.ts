/** Numbers for people: 1288490189 B becomes 1.2 GiB, 93784 s becomes 1 d 2 h. Programs get the plain number (`--json`). */

import { formatDuration } from '../../core/model/format-duration.ts';
import type { Value } from '../../core/model/reading.ts';

const PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
/** Seconds up to here are shown as they are. */
const PLAIN_S_MAX = 300;
const TEXT_CHARACTERS_MAX = 64;

/** A value as people read it, and its unit beside it. What could move a terminal's cursor is a `?`. */
export function formatValue(value: Value, unit: string): readonly [amount: string, unit: string] {
  if (typeof value !== 'number') return [sanitise(String(value)).slice(0, TEXT_CHARACTERS_MAX), unit];
  if (unit === 'B' || unit === 'B/s') return formatBytes(value, unit);
  if (unit === 's' && value > PLAIN_S_MAX) return [formatDuration(value * 1000), ''];
  return [String(value), unit];
}

/** An amount in `unit` (B or B/s), scaled by powers of 1024, with one decimal where it is scaled. */
export function formatBytes(bytes: number, unit: string): readonly [amount: string, unit: string] {
  let amount = bytes;
  let power = 0;
  // 1023.95 would be shown as 1024.0 of the smaller unit.
  while (amount >= 1023.95 && power < PREFIXES.length - 1) {
    amount /= 1024;
    power += 1;
  }
  return [power === 0 ? String(bytes) : amount.toFixed(1), `${PREFIXES[power]}${unit}`];
}

/** Text of the host's, without what a terminal would obey. */
export function sanitise(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
