/** Fits text into columns of a fixed-width font; a longer text ends with `…`. Pure. Each character counts as one column. */

/** Exactly `width` columns. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const shortened = cutTo(text, width);
  return align === 'left' ? shortened.padEnd(width) : shortened.padStart(width);
}

/** At most `width` columns. */
export function cutTo(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : `${text.slice(0, width - 1)}…`;
}

/** The longest length of these texts, at most `widthMax`. */
export function widest(texts: readonly string[], widthMax: number): number {
  return Math.min(widthMax, Math.max(0, ...texts.map((text) => text.length)));
}
