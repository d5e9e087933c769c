/** Colours and wrapped lines for a terminal; on anything else plain, unwrapped text. */

import type { Terminal } from './terminal.ts';

/** What a colour means here: in order, heals or waits, needs a person, beside the point. */
export type Tone = 'good' | 'wait' | 'bad' | 'dim';

const SGR: Readonly<Record<Tone, string>> = { good: '32', wait: '33', bad: '31', dim: '2' };

export type Paint = (tone: Tone, text: string) => string;

export function paintFor({ isLive }: Pick<Terminal, 'isLive'>): Paint {
  return isLive ? (tone, text) => `\x1b[${SGR[tone]}m${text}\x1b[0m` : (_tone, text) => text;
}

/** Words in lines of at most `width` columns; a word that is longer has a line of its own, and is not cut. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A label and its text, wrapped beside it. */
export function labelled(label: string, text: string, labelWidth: number, width: number): readonly string[] {
  const lines = wrapped(text, Math.max(20, width - labelWidth));
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(labelWidth)}${line}`);
}
