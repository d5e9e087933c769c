/**
 * Sensors of an operator's own, as the configuration has them: a program, a file, a GPIO line. And the keys their values get.
 *
 * A file and a line have one value each, whose key is the sensor's name. A program may print several: their keys are the
 * sensor's name and then what the program calls them, so that no two programs get in each other's way.
 */

/** camelCase, up to 32 letters and digits; no other sensor's and no key's. */
interface CustomSensorBase {
  readonly name: string;
  /** For people who look at a sample; up to 16 characters. */
  readonly unit?: string;
  /** The time from one reading to the next: 1 s to 24 h. */
  readonly everyMs: number;
}

export interface ProgramSensor extends CustomSensorBase {
  readonly kind: 'exec';
  /** An absolute path, and up to 32 arguments. Never a shell's line. */
  readonly command: readonly [program: string, ...args: string[]];
  /** 100 ms to 5 min. */
  readonly timeoutMs: number;
  /** Which of the values it prints count, by the names it prints; absent: all. */
  readonly keys?: readonly string[];
}

export interface FileSensor extends CustomSensorBase {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  readonly scale: number;
  readonly offset: number;
}

export interface GpioSensor extends CustomSensorBase {
  readonly kind: 'gpio';
  /** The line's name, as gpioinfo has it. */
  readonly line: string;
  /** True is low. */
  readonly isInverted: boolean;
}

export type CustomSensor = ProgramSensor | FileSensor | GpioSensor;
export type CustomSensorKind = CustomSensor['kind'];

const KEY_CHARACTERS_MAX = 64;

/**
 * The key for what a program of that name calls `said`: `boiler` and `flow_temp` are boilerFlowTemp, and so are `boiler` and
 * `boilerFlowTemp`. Undefined when that is no key: without a letter or digit, or too long.
 */
export function keyOfProgram(name: string, outputName: string): string | undefined {
  const words = outputName.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const camel = words.map(capitalised).join('');
  const prefix = capitalised(name);
  const rest = new RegExp(`^${prefix}(?![a-z])`).test(camel) ? camel.slice(prefix.length) : camel;
  const key = name + rest;
  return words.length > 0 && key.length <= KEY_CHARACTERS_MAX ? key : undefined;
}

/** The keys a sensor may deliver; a `*` where only its program knows. */
export function keysOf(sensor: CustomSensor): readonly string[] {
  if (sensor.kind !== 'exec') return [sensor.name];
  if (sensor.keys === undefined) return [`${sensor.name}*`];
  return sensor.keys.flatMap((outputName) => keyOfProgram(sensor.name, outputName) ?? []);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
