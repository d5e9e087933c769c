/**
 * Reads GPIO lines by name with `gpioget` of libgpiod, because Node cannot make the kernel's ioctl calls.
 *
 * `gpioget` 2 (Debian 13) takes names. `gpioget` 1 (Debian 12) takes a chip and offsets, which `gpiofind`
 * finds. Version 1 turns the line into an input, which would release an output: configure only inputs there.
 * Never rejects.
 */

import type { GpioSensor } from '../../core/model/custom-sensor.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { PolledSensor } from '../../core/sampling/polling.ts';
import { type CommandResult, runForError } from '../process/run-command.ts';

export interface GpioOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** For each program that is started; default 2 s. */
  readonly deadlineMs?: number;
  /** Default: `gpioget` and `gpiofind` of the path. */
  readonly gpioget?: string;
  readonly gpiofind?: string;
}

/** The electrical level of each requested line, or why none could be read. */
export type GpioStates =
  | { readonly ok: true; readonly isHigh: ReadonlyMap<string, boolean> }
  | { readonly ok: false; readonly problem: string };

/**
 * One program per read costs about 2 ms of CPU on a PC. /dev/gpiochip* is open to root and, on Raspberry Pi
 * OS, the group gpio.
 */
export interface Gpio {
  /** 1 to 64 different names that checkGpioName accepts. Fails if another program holds a line. */
  read(names: readonly string[], signal: AbortSignal): Promise<GpioStates>;
}

export const GPIO_LINES_MAX = 64;
/** GPIO_MAX_NAME_SIZE of the kernel, without its NUL. */
const NAME_CHARACTERS_MAX = 31;
const DEADLINE_MS = 2000;

/** Why this cannot be the name of a line; undefined if it can. */
export function checkGpioName(name: string): string | undefined {
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name)) {
    return 'the name of a GPIO line must be printable ASCII without leading or trailing spaces, such as GPIO17: list the names with gpioinfo';
  }
  if (name.length > NAME_CHARACTERS_MAX) {
    return `the name of a GPIO line must have at most ${NAME_CHARACTERS_MAX} characters, but this one has ${name.length}`;
  }
  // gpiofind and old versions of gpioget take it for an option.
  if (name.startsWith('-')) return 'the name of a GPIO line must not start with a dash';
  return undefined;
}

export function openGpio(options: GpioOptions): Gpio {
  const tools = new GpioTools(options);
  let version: number | undefined;
  const locations = new Map<string, LineLocation>();
  return {
    async read(names, signal) {
      const problem = namesProblem(names);
      if (problem !== undefined) return { ok: false, problem };
      version ??= await tools.version(signal);
      const states =
        version === 1
          ? await readByLocation(tools, locations, names, signal)
          : parseLevels(await tools.get(['--numeric', '--as-is', '--by-name', ...names], signal), names);
      if (!states.ok) {
        // libgpiod may have been upgraded, or a chip may have a new number.
        version = undefined;
        locations.clear();
      }
      return states;
    },
  };
}

/** How libgpiod 1 addresses a line. */
interface LineLocation {
  readonly chip: string;
  readonly offset: string;
}

class GpioTools {
  readonly #options: GpioOptions;

  constructor(options: GpioOptions) {
    this.#options = options;
  }

  /** The major version. 2 if it cannot be determined: the read that follows then reports why. */
  async version(signal: AbortSignal): Promise<number> {
    const result = await this.get(['--version'], signal);
    return result.ok && /\bv1\./.test(result.output) ? 1 : 2;
  }

  get(args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    return this.#run(this.#options.gpioget ?? 'gpioget', args, signal);
  }

  find(name: string, signal: AbortSignal): Promise<CommandResult> {
    return this.#run(this.#options.gpiofind ?? 'gpiofind', [name], signal);
  }

  async #run(command: string, args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    const { clock, deadlineMs = DEADLINE_MS } = this.#options;
    const result = await runForError({ command, arguments: args, deadlineMs }, clock, signal);
    return result.ok ? result : { ok: false, problem: describeProblem(command, result.problem) };
  }
}

/** Most error messages of these programs start with the program's name. */
function describeProblem(command: string, problem: string): string {
  if (problem === 'is not installed') {
    return `${command} is not installed: install the package gpiod (apt install gpiod)`;
  }
  return /^\S*gpio(get|find):/.test(problem) ? problem : `${command} ${problem}`;
}

async function readByLocation(
  tools: GpioTools,
  locations: Map<string, LineLocation>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<GpioStates> {
  for (const name of names) {
    if (locations.has(name)) continue;
    const found = await tools.find(name, signal);
    const [, chip, offset] = found.ok ? (/^(\S+) (\d+)\s*$/.exec(found.output) ?? []) : [];
    if (!found.ok && !found.problem.endsWith('ended with status 1')) return found;
    if (chip === undefined || offset === undefined) {
      return { ok: false, problem: `there is no GPIO line named ${name}: list the names with gpioinfo` };
    }
    locations.set(name, { chip, offset });
  }
  const isHigh = new Map<string, boolean>();
  for (const [chip, lines] of groupByChip(locations, names)) {
    const args = [chip, ...lines.map(({ offset }) => offset)];
    const states = parseLevels(
      await tools.get(args, signal),
      lines.map(({ name }) => name),
    );
    if (!states.ok) return states;
    for (const [name, high] of states.isHigh) isHigh.set(name, high);
  }
  return { ok: true, isHigh };
}

function groupByChip(locations: ReadonlyMap<string, LineLocation>, names: readonly string[]) {
  const chips = new Map<string, { readonly name: string; readonly offset: string }[]>();
  for (const name of names) {
    const location = locations.get(name);
    if (location === undefined) continue;
    const lines = chips.get(location.chip) ?? [];
    lines.push({ name, offset: location.offset });
    chips.set(location.chip, lines);
  }
  return chips;
}

/** Both versions print one line of 0 and 1, in the order of their arguments. */
function parseLevels(result: CommandResult, names: readonly string[]): GpioStates {
  if (!result.ok) return result;
  const states = result.output.trim().split(/\s+/);
  if (states.length !== names.length || !states.every((state) => state === '0' || state === '1')) {
    return {
      ok: false,
      problem: `gpioget printed an unexpected result: ${JSON.stringify(result.output.slice(0, 40))}`,
    };
  }
  return { ok: true, isHigh: new Map(names.map((name, index) => [name, states[index] === '1'])) };
}

function namesProblem(names: readonly string[]): string | undefined {
  if (names.length === 0 || names.length > GPIO_LINES_MAX || new Set(names).size !== names.length) {
    return `between 1 and ${GPIO_LINES_MAX} different GPIO lines can be read at once, not ${names.length}`;
  }
  for (const name of names) {
    const problem = checkGpioName(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Three programs of at most 2 s each. */
const TIMEOUT_MS = 6000;

export function createGpioSensor({ name, line, isInverted, everyMs }: GpioSensor, gpio: Gpio): PolledSensor {
  return {
    name,
    everyMs,
    timeoutMs: TIMEOUT_MS,
    async read(signal) {
      const states = await gpio.read([line], signal);
      if (!states.ok) return states;
      const isHigh = states.isHigh.get(line);
      if (isHigh === undefined) return { ok: false, problem: `gpioget did not report ${line}` };
      return { ok: true, values: { [name]: isHigh !== isInverted } };
    },
  };
}
