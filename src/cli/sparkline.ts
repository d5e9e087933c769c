/** A sparkline: the last readings of one value as bars of eight heights, lowest to highest of what is shown. Pure. */

const BARS = '▁▂▃▄▅▆▇█';
const NO_READING = ' ';

/** The last `width` of `readings`, oldest first; a reading without a value is a gap. Text and flags have no line. */
export function sparkline(readings: readonly (number | undefined)[], width: number): string {
  const shown = width > 0 ? readings.slice(-width) : [];
  const numbers = shown.filter((reading) => reading !== undefined);
  const low = Math.min(...numbers);
  const span = Math.max(...numbers) - low;
  return shown
    .map((reading) => {
      if (reading === undefined) return NO_READING;
      const share = span > 0 ? (reading - low) / span : 0;
      return BARS.charAt(Math.min(BARS.length - 1, Math.floor(share * BARS.length)));
    })
    .join('');
}
