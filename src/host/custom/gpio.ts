/**
 * The states of GPIO lines by their names, read by `gpioget` of libgpiod, because the kernel gives lines out by ioctl only, which
 * Node cannot do without a native addon.
 *
 * One spawned program per reading (about 2 ms of CPU on a PC), so: for lines an operator has named, at an interval he has
 * chosen, never on the path of every sample. `gpioget` 2 (Debian 13) takes names; `gpioget` 1 (Debian 12) takes a chip and offsets, which
 * `gpiofind` knows and this file remembers until a read fails. Version 2 leaves a line as it is; version 1 makes it an input,
 * which would release an output: name only inputs there. A line that a driver or another program holds is refused, by name.
 * Who may read is up to /dev/gpiochip*: root, and on Raspberry Pi OS the group gpio.
 *
 * Never rejects. Values are the line's electrical level: true is high.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { type CommandResult, runForError } from '../process/run-command.ts';

export interface GpioOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** For each program that is started; default 2 s. */
  readonly deadlineMs?: number;
  /** Default: `gpioget` and `gpiofind` of the path. */
  readonly gpioget?: string;
  readonly gpiofind?: string;
}

/** The level of each line that was asked for, or one sentence on why there is none at all. */
export type GpioStates =
  | { readonly ok: true; readonly isHigh: ReadonlyMap<string, boolean> }
  | { readonly ok: false; readonly problem: string };

export interface Gpio {
  /** 1 to 64 different names, each as checkGpioName wants it. */
  read(names: readonly string[], signal: AbortSignal): Promise<GpioStates>;
}

export const GPIO_LINES_MAX = 64;
/** A name of the kernel's has at most 31 characters (GPIO_MAX_NAME_SIZE). */
const NAME_CHARACTERS_MAX = 31;
const DEADLINE_MS = 2000;

/** What is wrong with the name of a line, as one sentence; undefined when it can be asked for. */
export function checkGpioName(name: string): string | undefined {
  if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(name)) {
    return 'the name of a GPIO line is printable ASCII without a space at its ends, such as GPIO17 (gpioinfo lists them)';
  }
  if (name.length > NAME_CHARACTERS_MAX) {
    return `the name of a GPIO line has at most ${NAME_CHARACTERS_MAX} characters, this one has ${name.length}`;
  }
  // gpiofind and old versions of gpioget would take it for an option.
  if (name.startsWith('-')) return 'the name of a GPIO line does not begin with a dash';
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
        // It may have been upgraded, or a chip may have another number now.
        version = undefined;
        locations.clear();
      }
      return states;
    },
  };
}

/** Where libgpiod 1 finds a line. */
interface LineLocation {
  readonly chip: string;
  readonly offset: string;
}

class GpioTools {
  readonly #options: GpioOptions;

  constructor(options: GpioOptions) {
    this.#options = options;
  }

  /** The major version; 2 when it will not say, and then the read itself tells why. */
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

/** Most complaints name their program already. */
function describeProblem(command: string, problem: string): string {
  if (problem === 'is not installed') {
    return `${command} is not installed: install libgpiod's tools (apt install gpiod)`;
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
      return { ok: false, problem: `there is no GPIO line ${name} (gpioinfo lists them)` };
    }
    locations.set(name, { chip, offset });
  }
  const isHigh = new Map<string, boolean>();
  for (const [chip, onChip] of byChip(locations, names)) {
    const args = [chip, ...onChip.map(({ offset }) => offset)];
    const states = parseLevels(
      await tools.get(args, signal),
      onChip.map(({ name }) => name),
    );
    if (!states.ok) return states;
    for (const [name, high] of states.isHigh) isHigh.set(name, high);
  }
  return { ok: true, isHigh };
}

function byChip(locations: ReadonlyMap<string, LineLocation>, names: readonly string[]) {
  const chips = new Map<string, { readonly name: string; readonly offset: string }[]>();
  for (const name of names) {
    const location = locations.get(name);
    if (location === undefined) continue;
    const onChip = chips.get(location.chip) ?? [];
    onChip.push({ name, offset: location.offset });
    chips.set(location.chip, onChip);
  }
  return chips;
}

/** Both versions answer one line of 0 and 1, in the order of the question. */
function parseLevels(result: CommandResult, names: readonly string[]): GpioStates {
  if (!result.ok) return result;
  const states = result.output.trim().split(/\s+/);
  if (states.length !== names.length || !states.every((state) => state === '0' || state === '1')) {
    return { ok: false, problem: `gpioget answered ${JSON.stringify(result.output.slice(0, 40))}` };
  }
  return { ok: true, isHigh: new Map(names.map((name, index) => [name, states[index] === '1'])) };
}

function namesProblem(names: readonly string[]): string | undefined {
  if (names.length === 0 || names.length > GPIO_LINES_MAX || new Set(names).size !== names.length) {
    return `1 to ${GPIO_LINES_MAX} different GPIO lines can be read at once, not ${names.length}`;
  }
  for (const name of names) {
    const problem = checkGpioName(name);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
