/**
 * The operator's own sensors that are polled beside the sampling, as the configuration wants them: programs and GPIO lines.
 * One that is switched off is not even asked.
 */

import type { SensorsConfig } from '../core/model/config.ts';
import { keysOf, type OwnSensor } from '../core/model/custom-sensor.ts';
import { GAP_KEYS } from '../core/model/loss-report.ts';
import { selects } from '../core/model/selection.ts';
import { type Polled, Pollers, type PollersPorts } from '../core/sampling/polling.ts';
import { type Gpio, openGpio } from '../host/custom/gpio.ts';
import { polledLine } from '../host/custom/gpio-sensor.ts';
import { polledProgram } from '../host/custom/program-sensor.ts';
import { describeKey } from '../sensors/catalogue.ts';

/** What the agent tells of lost readings; a program must not seem to tell of some. */
const GAPS: ReadonlySet<string> = new Set(Object.values(GAP_KEYS));

export type OwnConfig = Pick<SensorsConfig, 'selection' | 'own'>;

export function openPollers(config: OwnConfig, ports: PollersPorts): Pollers {
  const gpio = openGpio(ports);
  const polled = wantedOwn(config).flatMap((sensor) => polledOf(sensor, config, { ...ports, gpio }));
  return new Pollers(polled, ports);
}

/** None for a file, which is read with the samples. */
function polledOf(
  sensor: OwnSensor,
  config: OwnConfig,
  { clock, gpio }: PollersPorts & { readonly gpio: Gpio },
): readonly Polled[] {
  const isTaken = (key: string) => describeKey(key) !== undefined || GAPS.has(key);
  switch (sensor.kind) {
    case 'exec':
      return [polledProgram(sensor, { clock, isTaken, isWanted: (key) => isWanted(config, sensor, key) })];
    case 'gpio':
      return [polledLine(sensor, gpio)];
    case 'file':
      return [];
  }
}

/** Those of which anything can be reported: an own sensor is in every profile, unless it is switched off. */
export function wantedOwn(config: OwnConfig): readonly OwnSensor[] {
  return config.own.filter((sensor) => keysOf(sensor).some((key) => isWanted(config, sensor, key)));
}

function isWanted({ selection }: OwnConfig, { name }: OwnSensor, key: string): boolean {
  return selects(selection, name, key, 'minimal');
}
