/**
 * A date as ISO 8601 in UTC, as Date.prototype.toISOString gives it. V8's own looks up the name of the local time zone on the way and
 * throws it away, which costs 0.9 MiB for as long as the process lives (Node 20 to 24, 2026-11-26).
 */

/** `date` is valid. Years beyond four digits are left to V8. */
export function utcText(date: Date): string {
  const year = date.getUTCFullYear();
  if (year < 0 || year > 9999) return date.toISOString();
  const day = [pad(year, 4), pad(date.getUTCMonth() + 1, 2), pad(date.getUTCDate(), 2)].join('-');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((part) => pad(part, 2));
  return `${day}T${time.join(':')}.${pad(date.getUTCMilliseconds(), 3)}Z`;
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
