/**
 * "Did you mean": the known word that is nearest to a mistyped one, if one is near enough.
 *
 * The distance is that of optimal string alignment, ignoring case. The limit is a share of the known word's length, at least 1.
 */

/** Longer than any key; a longer word is not worth the quadratic work. */
const WORD_CHARACTERS_MAX = 64;

/** `share`: of the known word's length that may differ. */
export function nearestWord(
  word: string,
  candidates: readonly string[],
  share: number = 1 / 3,
): string | undefined {
  if (word.length > WORD_CHARACTERS_MAX) return undefined;
  let best: { word: string; distance: number } | undefined;
  for (const each of candidates) {
    const distance = distanceBetween(word.toLowerCase(), each.toLowerCase());
    if (best === undefined || distance < best.distance) best = { word: each, distance };
  }
  if (best === undefined) return undefined;
  return best.distance <= Math.max(1, Math.floor(best.word.length * share)) ? best.word : undefined;
}

function distanceBetween(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + change);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
