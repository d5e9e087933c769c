/**
 * The output of a command: a terminal that can show a live view, or a pipe or file, which gets lines without control characters.
 * A closed pipe (`| head`) ends the command like Ctrl-C.
 */

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
