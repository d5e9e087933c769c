/**
 * Sensors of an operator's own, as the configuration has them: a program, a file, a GPIO line. And the keys their values get.
 *
 * A file and a line have one value each, whose key is the sensor's name. A program may print several: their keys are the
 * sensor's name and then what the program calls them, so that no two programs get in each other's way.
 */

/** camelCase, up to 32 letters and digits; no other sensor's and no key's. */
interface Named {
  readonly name: string;
  /** For people who look at a sample; up to 16 characters. */
  readonly unit?: string;
  /** The time from one reading to the next: 1 s to 24 h. */
  readonly everyMs: number;
}

export interface ProgramSensor extends Named {
  readonly kind: 'exec';
  /** An absolute path, and up to 32 arguments. Never a shell's line. */
  readonly command: readonly [program: string, ...args: string[]];
  /** 100 ms to 5 min. */
  readonly timeoutMs: number;
  /** Which of the values it prints count, by the names it prints; absent: all. */
  readonly keys?: readonly string[];
}

export interface FileSensor extends Named {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  readonly scale: number;
  readonly offset: number;
}

export interface LineSensor extends Named {
  readonly kind: 'gpio';
  /** The line's name, as gpioinfo has it. */
  readonly line: string;
  /** True is low. */
  readonly isInverted: boolean;
}

export type OwnSensor = ProgramSensor | FileSensor | LineSensor;
export type OwnKind = OwnSensor['kind'];

const KEY_CHARACTERS_MAX = 64;

/**
 * The key for what a program of that name calls `said`: `boiler` and `flow_temp` are boilerFlowTemp, and so are `boiler` and
 * `boilerFlowTemp`. Undefined when that is no key: without a letter or digit, or too long.
 */
export function keyOfProgram(name: string, said: string): string | undefined {
  const words = said.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const camel = words.map(capitalised).join('');
  const own = capitalised(name);
  const rest = new RegExp(`^${own}(?![a-z])`).test(camel) ? camel.slice(own.length) : camel;
  const key = name + rest;
  return words.length > 0 && key.length <= KEY_CHARACTERS_MAX ? key : undefined;
}

/** The keys a sensor may deliver; a `*` where only its program knows. */
export function keysOf(sensor: OwnSensor): readonly string[] {
  if (sensor.kind !== 'exec') return [sensor.name];
  if (sensor.keys === undefined) return [`${sensor.name}*`];
  return sensor.keys.flatMap((said) => keyOfProgram(sensor.name, said) ?? []);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
