/** The state of a unit, from the output of `systemctl show`. */

export const UNIT_PROPERTIES = [
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'SubState',
  'ExecMainCode',
  'ExecMainStatus',
  'ExecMainExitTimestampMonotonic',
  'ExecStart',
  'WatchdogUSec',
  'ImportCredential',
] as const;

export interface UnitState {
  readonly loadState: string;
  readonly unitFileState: string;
  readonly activeState: string;
  readonly subState: string;
  /** How the main process ended last: an exit code or the number of a signal. */
  readonly lastExit: { readonly by: 'code' | 'signal'; readonly status: number };
  /** When, CLOCK_MONOTONIC, ms; 0 if it has not ended in this boot. */
  readonly lastExitMs: number;
  /** The program of ExecStart=; undefined if there is none. */
  readonly program: string | undefined;
  readonly watchdog: string;
  /** Whether this systemd knows ImportCredential=, which version 254 brought. */
  readonly canImportCredentials: boolean;
}

/** CLD_KILLED and CLD_DUMPED of waitid(2), as systemd reports them. */
const ENDED_BY_SIGNAL: ReadonlySet<string | undefined> = new Set(['2', '3']);

export function parseUnitState(output: string): UnitState {
  const properties = new Map(
    output.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  const text = (name: (typeof UNIT_PROPERTIES)[number]) => properties.get(name) ?? '';
  return {
    loadState: text('LoadState'),
    unitFileState: text('UnitFileState'),
    activeState: text('ActiveState'),
    subState: text('SubState'),
    lastExit: {
      by: ENDED_BY_SIGNAL.has(properties.get('ExecMainCode')) ? 'signal' : 'code',
      status: Number(text('ExecMainStatus')),
    },
    lastExitMs: Number(text('ExecMainExitTimestampMonotonic')) / 1000,
    program: /\bpath=(\/[^ ;]+)/.exec(text('ExecStart'))?.[1],
    watchdog: text('WatchdogUSec'),
    canImportCredentials: properties.has('ImportCredential'),
  };
}
