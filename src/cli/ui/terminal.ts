/**
 * Where a command writes, as far as it matters what that is: a terminal of some size that can show a live picture, or a
 * pipe or file, which gets lines without a control character.
 *
 * Nobody at the other end any more (`| head`) ends the command like Ctrl-C, not with a stack trace.
 */

/** Where a command writes; process.stdout is one. */
export interface Out {
  write(text: string): unknown;
}

export interface Terminal extends Out {
  /** Columns and rows, as they are now; no bound where nothing wraps. */
  size(): { readonly columns: number; readonly rows: number };
  /** False: a pipe, a file, a terminal that is dumb, or one whose owner wants no colours or control sequences. */
  readonly isLive: boolean;
  /** Calls `then` at each change of size until the signal aborts. */
  onResize(listener: () => void, signal: AbortSignal): void;
  /** Aborts when the command should end: the given signal, or nobody reads any more. */
  readonly ended: AbortSignal;
}

/** Of a terminal that does not say (a serial console). */
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
