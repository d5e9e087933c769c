/** Colours and line wrapping for a terminal; plain text elsewhere. */

import type { Terminal } from './terminal.ts';

/** Green: in order. Yellow: waiting or temporary. Red: action needed. Dim: not relevant. */
export type Style = 'good' | 'wait' | 'bad' | 'dim';

const SGR_CODES: Readonly<Record<Style, string>> = { good: '32', wait: '33', bad: '31', dim: '2' };

export type StyleText = (style: Style, text: string) => string;

export function styleFor({ isLive }: Pick<Terminal, 'isLive'>): StyleText {
  return isLive ? (style, text) => `\x1b[${SGR_CODES[style]}m${text}\x1b[0m` : (_style, text) => text;
}

/** Lines of at most `width` columns; a longer word gets its own line and is not cut. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const lastLine = lines.at(-1);
    if (lastLine !== undefined && lastLine.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${lastLine} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A label with its text wrapped beside it. */
export function labelledLines(
  label: string,
  text: string,
  labelWidth: number,
  width: number,
): readonly string[] {
  const lines = wrapText(text, Math.max(20, width - labelWidth));
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(labelWidth)}${line}`);
}

/** Exactly `width` columns of a fixed-width font; a longer text ends with `…`. Each character counts as one column. */
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
