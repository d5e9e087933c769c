/**
 * Custom sensors that run a program of the operator: without a shell, at low priority, killed with its
 * process group at its deadline, and with PATH and LANG as its whole environment, so that no credential of
 * the agent reaches it.
 *
 * core/sampling/program-output.ts parses the output. One run costs the agent 0.84 ms of CPU (x86-64 VM, Node
 * 20.20, 2026-11-26).
 */

import type { ProgramSensor } from '../../core/model/custom-sensor.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { PolledSensor, PollResult } from '../../core/sampling/polling.ts';
import { programValues } from '../../core/sampling/program-output.ts';
import { DEFAULT_PATH, type Program, runProgram } from '../process/run-program.ts';

export interface ProgramSensorOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Whether a key is built in and thus reserved. */
  readonly isTaken: (key: string) => boolean;
  /** Whether a key is to be reported. */
  readonly isSelectedKey: (key: string) => boolean;
}

const OUTPUT_BYTES_MAX = 16 * 1024;
const LOWEST_PRIORITY = 19;
const LANGUAGE = 'C.UTF-8';

export function createProgramSensor(sensor: ProgramSensor, options: ProgramSensorOptions): PolledSensor {
  const { name, everyMs, timeoutMs } = sensor;
  return { name, everyMs, timeoutMs, read: (signal) => read(sensor, options, signal) };
}

async function read(
  sensor: ProgramSensor,
  { clock, isTaken, isSelectedKey }: ProgramSensorOptions,
  signal: AbortSignal,
): Promise<PollResult> {
  const result = await runProgram(programOf(sensor), clock, signal);
  const [program] = sensor.command;
  if (!result.ok) return { ok: false, problem: `${program} ${addRemedy(result.problem)}` };
  const { values, problem } = programValues(result.output.toString('utf8'), sensor);
  const takenKey = Object.keys(values).find(isTaken);
  const conflict = takenKey === undefined ? undefined : `printed ${takenKey}, which is a built-in key`;
  const warning = problem ?? conflict;
  const freeEntries = Object.entries(values).filter(([key]) => !isTaken(key));
  if (warning !== undefined && freeEntries.length === 0)
    return { ok: false, problem: `${program} ${warning}` };
  return {
    ok: true,
    values: Object.fromEntries(freeEntries.filter(([key]) => isSelectedKey(key))),
    problem: warning === undefined ? undefined : `${program} ${warning}`,
  };
}

function programOf({ command: [command, ...args], timeoutMs }: ProgramSensor): Program {
  return {
    command,
    arguments: args,
    environment: {
      PATH: process.env['PATH'] ?? DEFAULT_PATH,
      LANG: process.env['LANG'] ?? LANGUAGE,
    },
    deadlineMs: timeoutMs,
    outputBytesMax: OUTPUT_BYTES_MAX,
    errorLine: 'last line',
    niceness: LOWEST_PRIORITY,
  };
}

/** Adds a remedy to the most frequent problems. */
function addRemedy(problem: string): string {
  if (problem === 'is not installed')
    return 'does not exist, or the interpreter in its first line does not: check the path in command';
  if (problem.includes('EACCES'))
    return 'cannot be executed: check its mode, and that it is not below /var, /run or /tmp, where the service cannot run programs';
  if (problem.startsWith('did not finish'))
    return `${problem} and was killed: make it faster, or raise timeout`;
  return problem;
}
