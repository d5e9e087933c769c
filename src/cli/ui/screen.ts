/** The alternate screen of a terminal, for a live view. Disposing restores the terminal. */

import type { Terminal } from './terminal.ts';

/** DEC private modes: alternate screen, cursor. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

export interface Screen extends Disposable {
  /** Draws as many lines as fit. */
  draw(lines: readonly string[]): void;
}

export function openScreen(terminal: Terminal): Screen {
  terminal.write(ENTER);
  return {
    draw(lines) {
      const { rows } = terminal.size();
      const visible = lines.slice(0, rows).map((line) => `${line}${CLEAR_LINE}`);
      terminal.write(`${HOME}${visible.join('\r\n')}${CLEAR_BELOW}`);
    },
    [Symbol.dispose]: () => void terminal.write(LEAVE),
  };
}
