/**
 * Cells into lines of a given width, for a fixed-width font. Pure.
 *
 * A cell that is too long ends in `…`; nothing is wider than asked, whatever the host calls its devices. One column a
 * character: what the sensors say is Latin text.
 */

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

/** The widest of these, but at most `most`. */
export function widest(texts: readonly string[], widthMax: number): number {
  return Math.min(widthMax, Math.max(0, ...texts.map((text) => text.length)));
}
