/** Spans of time as people say them. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const;

/** In the largest unit of which there are two, so that it is never off by more than a third: `2 h`, `90 s`. */
export function roughly(ms: number): string {
  const unit = UNITS.find(([, unitMs]) => ms >= 2 * unitMs);
  return unit ? `${Math.floor(ms / unit[1])} ${unit[0]}` : `${Math.floor(ms / 1000)} s`;
}

/** In its two largest units: `3 h 12 min`, `4 s`. */
export function precisely(ms: number): string {
  const at = UNITS.findIndex(([, unitMs]) => ms >= unitMs);
  const large = UNITS[at];
  if (large === undefined) return `${Math.floor(ms / 1000)} s`;
  const [name, unitMs] = large;
  const [smallName, smallMs] = UNITS[at + 1] ?? ['s', 1000];
  const rest = Math.floor((ms % unitMs) / smallMs);
  return `${Math.floor(ms / unitMs)} ${name}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}
