/**
 * Custom sensors as configured: a program, a file or a GPIO line, and the keys of their values.
 *
 * A file and a GPIO line have one value, whose key is the sensor name. A program may print several: their
 * keys are the sensor name followed by the printed name, so that two programs cannot share a key.
 */

interface CustomSensorBase {
  /** camelCase, up to 32 letters and digits; differs from every other sensor and key. */
  readonly name: string;
  /** Shown by `firstlight sample`; up to 16 characters. */
  readonly unit?: string;
  /** Interval: 1 s to 24 h. */
  readonly everyMs: number;
}

export interface ProgramSensor extends CustomSensorBase {
  readonly kind: 'exec';
  /** An absolute path and up to 32 arguments; not a shell command. */
  readonly command: readonly [program: string, ...args: string[]];
  /** 100 ms to 5 min. */
  readonly timeoutMs: number;
  /** Printed names whose values are used; absent: all. */
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
  /** The name of the line as gpioinfo shows it. */
  readonly line: string;
  /** True: a low level is `true`. */
  readonly isInverted: boolean;
}

export type CustomSensor = ProgramSensor | FileSensor | GpioSensor;
export type CustomSensorKind = CustomSensor['kind'];

const KEY_CHARACTERS_MAX = 64;

/**
 * The key of a printed name: `boiler` and `flow_temp` are boilerFlowTemp, and so are `boiler` and
 * `boilerFlowTemp`. Undefined if the name has no letter or digit or the key is too long.
 */
export function keyOfProgram(name: string, outputName: string): string | undefined {
  const words = outputName.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const camel = words.map(capitalised).join('');
  const prefix = capitalised(name);
  const rest = new RegExp(`^${prefix}(?![a-z])`).test(camel) ? camel.slice(prefix.length) : camel;
  const key = name + rest;
  return words.length > 0 && key.length <= KEY_CHARACTERS_MAX ? key : undefined;
}

/** The keys of a sensor; `name*` if only its program determines them. */
export function keysOf(sensor: CustomSensor): readonly string[] {
  if (sensor.kind !== 'exec') return [sensor.name];
  if (sensor.keys === undefined) return [`${sensor.name}*`];
  return sensor.keys.flatMap((outputName) => keyOfProgram(sensor.name, outputName) ?? []);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
