/** What systemd reports about a unit, by `systemctl`: for any user, without changing anything. Never rejects. */

import type { Clock } from '../../core/ports/clock.ts';
import { DEFAULT_PATH, runProgram } from '../process/run-program.ts';

export interface SystemctlOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Default: `systemctl`. Set by tests only. */
  readonly command?: string;
}

const DEADLINE_MS = 5_000;
/** The unit with its comments has 10 KB. */
const OUTPUT_BYTES_MAX = 256 * 1024;

/** Lines `NAME=value`; undefined without systemd. */
export function readUnitProperties(
  unit: string,
  names: readonly string[],
  options: SystemctlOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  return systemctl(['show', unit, `--property=${names.join(',')}`], options, signal);
}

/** The unit file and its drop-ins in the order in which they apply, each after a line `# PATH`; undefined without systemd. */
export function readUnitFiles(
  unit: string,
  options: SystemctlOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  return systemctl(['cat', unit], options, signal);
}

async function systemctl(
  words: readonly string[],
  { clock, command = 'systemctl' }: SystemctlOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const environment = { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C' };
  const program = { command, arguments: words, environment, deadlineMs: DEADLINE_MS } as const;
  const result = await runProgram(
    { ...program, outputBytesMax: OUTPUT_BYTES_MAX, errorLine: 'none' },
    clock,
    signal,
  );
  return result.ok ? result.output.toString('utf8') : undefined;
}
