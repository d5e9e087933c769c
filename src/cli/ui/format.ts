/** Readable values: 1288490189 B becomes 1.2 GiB, 93784 s becomes 1 d 2 h. `--json` prints the plain number. */

import { formatDuration } from '../../core/model/format-duration.ts';
import type { Value } from '../../core/model/reading.ts';

const PREFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
/** Longer times are shown in minutes, hours and days. */
const PLAIN_S_MAX = 300;
const TEXT_CHARACTERS_MAX = 64;

/** A value and its unit in readable form. Control characters become `?`. */
export function formatValue(value: Value, unit: string): readonly [amount: string, unit: string] {
  if (typeof value !== 'number') return [sanitise(String(value)).slice(0, TEXT_CHARACTERS_MAX), unit];
  if (unit === 'B' || unit === 'B/s') return formatBytes(value, unit);
  if (unit === 's' && value > PLAIN_S_MAX) return [formatDuration(value * 1000), ''];
  return [String(value), unit];
}

/** An amount in `unit` (B or B/s), scaled by powers of 1024, with one decimal if scaled. */
export function formatBytes(bytes: number, unit: string): readonly [amount: string, unit: string] {
  let amount = bytes;
  let power = 0;
  // 1023.95 would round to 1024.0 of the smaller unit.
  while (amount >= 1023.95 && power < PREFIXES.length - 1) {
    amount /= 1024;
    power += 1;
  }
  return [power === 0 ? String(bytes) : amount.toFixed(1), `${PREFIXES[power]}${unit}`];
}

/** Replaces control characters, which a terminal would interpret. */
export function sanitise(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
