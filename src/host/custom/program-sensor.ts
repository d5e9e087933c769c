/**
 * An operator's programs as sensors: each is run without a shell, at low priority, in a group of its own that is killed whole at
 * its deadline, with a path and a language for an environment: no credential of ours can reach it.
 *
 * What it prints is at most 16 KiB, and is judged in core/program-output.ts. When it is run is up to core/pollers.ts.
 *
 * Measured on an x86-64 virtual machine, Node 20.20, 2026-11-26, process.cpuUsage over 300 runs of echo: 0.84 ms of the agent's CPU a run.
 */

import type { ProgramSensor } from '../../core/model/custom-sensor.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { PolledSensor, PollResult } from '../../core/sampling/polling.ts';
import { programValues } from '../../core/sampling/program-output.ts';
import { DEFAULT_PATH, type Program, runProgram } from '../process/run-program.ts';

export interface ProgramSensorOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Whether a key is one of the agent's own, which no program may take. */
  readonly isTaken: (key: string) => boolean;
  /** Whether a key is to be reported. */
  readonly isSelectedKey: (key: string) => boolean;
}

const OUTPUT_BYTES_MAX = 16 * 1024;
const LOWEST_PRIORITY = 19;
const LANGUAGE = 'C.UTF-8';

export function createProgramSensor(sensor: ProgramSensor, options: ProgramSensorOptions): PolledSensor {
  const { name, everyMs, timeoutMs } = sensor;
  return { name, everyMs, timeoutMs: timeoutMs, read: (signal) => read(sensor, options, signal) };
}

async function read(
  sensor: ProgramSensor,
  { clock, isTaken, isSelectedKey: isWanted }: ProgramSensorOptions,
  signal: AbortSignal,
): Promise<PollResult> {
  const result = await runProgram(programOf(sensor), clock, signal);
  const [program] = sensor.command;
  if (!result.ok) return { ok: false, problem: `${program} ${addRemedy(result.problem)}` };
  const { values, problem } = programValues(result.output.toString('utf8'), sensor);
  const takenKey = Object.keys(values).find(isTaken);
  const conflict = takenKey === undefined ? undefined : `says ${takenKey}, which is a key of the agent's own`;
  const warning = problem ?? conflict;
  const freeEntries = Object.entries(values).filter(([key]) => !isTaken(key));
  if (warning !== undefined && freeEntries.length === 0)
    return { ok: false, problem: `${program} ${warning}` };
  const wantedValues = Object.fromEntries(freeEntries.filter(([key]) => isWanted(key)));
  return {
    ok: true,
    values: wantedValues,
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

/** What an operator can do about the commonest reasons. */
function addRemedy(problem: string): string {
  if (problem === 'is not installed')
    return 'is not there, or what its first line names is not: check the path in command';
  if (problem.includes('EACCES'))
    return 'may not be run: check its mode, and that it is not below /var, /run or /tmp, where the service runs nothing';
  if (problem.startsWith('did not answer'))
    return `${problem} and was ended: make it quicker, or raise timeout`;
  return problem;
}
