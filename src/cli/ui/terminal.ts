/**
 * The output of a command: a terminal that can show a live view, or a pipe or file, which gets lines without control characters.
 * A closed pipe (`| head`) ends the command like Ctrl-C.
 */

import type { RunOptions } from '../../app/run.ts';

/** Where a command writes; process.stdout is one. */
export interface Out {
  write(text: string): unknown;
}

export interface Terminal extends Out {
  /** The current columns and rows; infinite for a pipe or a file. */
  size(): { readonly columns: number; readonly rows: number };
  /** False for a pipe, a file, TERM=dumb and NO_COLOR. */
  readonly isLive: boolean;
  /** Calls `listener` at each change of size until the signal aborts. */
  onResize(listener: () => void, signal: AbortSignal): void;
  /** Aborts when the command should end: on the stop signal, or if the output is closed. */
  readonly ended: AbortSignal;
}

/** For a terminal without a size, such as a serial console. */
const COLUMNS = 80;
const ROWS = 24;

export function openTerminal(
  stream: NodeJS.WriteStream,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Terminal {
  const ended = new AbortController();
  signal.addEventListener('abort', () => ended.abort(), { once: true });
  if (signal.aborted) ended.abort();
  stream.on('error', () => ended.abort());
  const { TERM: term, NO_COLOR: noColour = '' } = environment;
  return {
    write: (text) => stream.write(text),
    size: () =>
      stream.isTTY === true
        ? { columns: stream.columns || COLUMNS, rows: stream.rows || ROWS }
        : { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY },
    isLive: stream.isTTY === true && term !== 'dumb' && noColour === '',
    onResize(listener, signalEnd) {
      stream.on('resize', listener);
      signalEnd.addEventListener('abort', () => stream.off('resize', listener), { once: true });
    },
    ended: ended.signal,
  };
}

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

export interface CommandHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly input: NodeJS.ReadStream;
  readonly out: NodeJS.WriteStream;
  readonly errorOutput: NodeJS.WriteStream;
  /** Opens stdout as a terminal; only the commands that draw need it. */
  readonly terminal: () => Promise<Terminal>;
  /** Aborts at SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Runs the agent until `signal` aborts; resolves with the exit code. */
  readonly run: (options: RunOptions) => Promise<number>;
  /** Every command ends by passing its exit code to `finish`. */
  readonly finish: (exitCode: Promise<number>) => Promise<void>;
}
