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
import type { Polled, PolledValues } from '../../core/sampling/polling.ts';
import { programValues } from '../../core/sampling/program-output.ts';
import { DEFAULT_PATH, type Program, runProgram } from '../process/run-program.ts';

export interface OwnProgramsOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Whether a key is one of the agent's own, which no program may take. */
  readonly isTaken: (key: string) => boolean;
  /** Whether a key is to be reported. */
  readonly isWanted: (key: string) => boolean;
}

const OUTPUT_BYTES_MAX = 16 * 1024;
const LOWEST_PRIORITY = 19;
const LANGUAGE = 'C.UTF-8';

export function polledProgram(sensor: ProgramSensor, options: OwnProgramsOptions): Polled {
  const { name, everyMs, timeoutMs } = sensor;
  return { name, everyMs, patienceMs: timeoutMs, read: (signal) => read(sensor, options, signal) };
}

async function read(
  sensor: ProgramSensor,
  { clock, isTaken, isWanted }: OwnProgramsOptions,
  signal: AbortSignal,
): Promise<PolledValues> {
  const outcome = await runProgram(programOf(sensor), clock, signal);
  const [program] = sensor.command;
  if (!outcome.ok) return { ok: false, problem: `${program} ${withRemedy(outcome.problem)}` };
  const { values, problem } = programValues(outcome.output.toString('utf8'), sensor);
  const taken = Object.keys(values).find(isTaken);
  const ours = taken === undefined ? undefined : `says ${taken}, which is a key of the agent's own`;
  const told = problem ?? ours;
  const free = Object.entries(values).filter(([key]) => !isTaken(key));
  if (told !== undefined && free.length === 0) return { ok: false, problem: `${program} ${told}` };
  const kept = Object.fromEntries(free.filter(([key]) => isWanted(key)));
  return { ok: true, values: kept, problem: told === undefined ? undefined : `${program} ${told}` };
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
    complaint: 'last line',
    niceness: LOWEST_PRIORITY,
  };
}

/** What an operator can do about the commonest reasons. */
function withRemedy(problem: string): string {
  if (problem === 'is not installed')
    return 'is not there, or what its first line names is not: check the path in command';
  if (problem.includes('EACCES'))
    return 'may not be run: check its mode, and that it is not below /var, /run or /tmp, where the service runs nothing';
  if (problem.startsWith('did not answer'))
    return `${problem} and was ended: make it quicker, or raise timeout`;
  return problem;
}
