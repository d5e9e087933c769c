/**
 * The subject of `firstlight sample`: collectors, host files, custom sensors, and how the agent selects, renames and scales their
 * keys with the given configuration or the built-in defaults.
 */

import { SENSOR_NAMES } from '../../app/paths.ts';
import { loadConfig } from '../../config/load.ts';
import type { SensorsConfig } from '../../core/model/config.ts';
import { type CustomSensor, keysOf } from '../../core/model/custom-sensor.ts';
import { GlobMap, matches } from '../../core/model/glob.ts';
import type { Value } from '../../core/model/reading.ts';
import { isSelected, type Selection } from '../../core/model/sensor-selection.ts';
import { collectors } from '../../sensors/catalogue.ts';
import type { HostFiles } from '../../sensors/files/host-files.ts';
import type { CatalogueEntry, Collector } from '../../sensors/runtime/collector.ts';
import { entryFor } from '../../sensors/runtime/collector-runner.ts';
import { createTransform } from '../../sensors/runtime/transform.ts';
import { DEFAULT_TUNING, keyFilterFor } from '../../sensors/runtime/tuning.ts';
import { fileCollectors } from '../../sensors/system/custom-files.ts';
import type { SampledRoot } from './root.ts';

/** The description of one key. */
export interface KeyInfo {
  /** Its name before the configuration renames it. */
  readonly key: string;
  readonly sensor: string;
  readonly entry: CatalogueEntry;
  /** Empty if it has none, or if the configuration scales the value. */
  readonly unit: string;
  readonly isSent: boolean;
  /** Polled in the background, so no collector can explain it. */
  readonly isPolled?: true;
}

export interface SampleSubject {
  /** All of them, to describe their keys. */
  readonly collectors: readonly Collector[];
  /** Those that can read the root. */
  readonly readable: readonly Collector[];
  readonly hostFiles: HostFiles;
  /** The sensor settings of the agent. */
  readonly tuning: SensorsConfig;
  /** Finds a key by its own name or by the name under which it is sent. */
  describeKey(name: string): KeyInfo | undefined;
  /** The name and value under which the agent sends a value. */
  transformValue(key: string, value: Value): readonly [name: string, value: Value];
}

/** Sensors that ask the running kernel beside its files, here for the use of file systems. */
const LIVE_SENSORS: ReadonlySet<string> = new Set(['filesystem', 'mounts']);

/** Throws a ConfigError with every problem of the file. */
export function createSampleSubject(
  { config }: { readonly config?: string },
  { hostFiles, isOther, hasKernelFiles }: Omit<SampledRoot, 'clock'>,
  environment: NodeJS.ProcessEnv,
): SampleSubject {
  const tuning = config === undefined ? BUILT_IN : tuningOf(config, environment);
  const files = tuning.custom.filter((sensor) => sensor.kind === 'file');
  const fileSensors = fileCollectors(files);
  const all = [...collectors, ...fileSensors];
  const builtIn = collectors.filter(({ name }) => !(isOther && LIVE_SENSORS.has(name)));
  const originalKeys = new Map([...tuning.rename].map(([key, name]) => [name, key]));
  const transform = createTransform(tuning);
  const scale = new GlobMap(tuning.scale);
  return {
    collectors: all,
    readable: hasKernelFiles ? [...builtIn, ...fileSensors] : fileSensors,
    hostFiles,
    tuning,
    describeKey(name) {
      const key = originalKeys.get(name) ?? name;
      const collector = all.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      const entry = collector && entryFor(collector.catalogue, key);
      const customSensor = tuning.custom.find((sensor) =>
        keysOf(sensor).some((pattern) => matches(pattern, key)),
      );
      if (customSensor !== undefined && customSensor.kind !== 'file')
        return customKeyInfo(customSensor, key, tuning);
      if (collector === undefined || entry === undefined) return undefined;
      const catalogueUnit = entry.type === 'number' ? entry.unit : '';
      const unit = scale.get(key) === undefined ? (customSensor?.unit ?? catalogueUnit) : '';
      const isSent = keyFilterFor(collector, tuning.selection)(key);
      return { key, sensor: collector.name, entry, unit, isSent };
    },
    transformValue: (key, value) => Object.entries(transform({ [key]: value }))[0] ?? [key, value],
  };
}

const DEFAULT: Selection = { profile: 'default', on: [], off: [] };
const BUILT_IN: SensorsConfig = { ...DEFAULT_TUNING, selection: DEFAULT, custom: [] };

/** A key of a program or a GPIO line, which is in no collector. */
function customKeyInfo(sensor: CustomSensor, key: string, { selection, scale }: SensorsConfig): KeyInfo {
  const meaning = sensor.kind === 'exec' ? `output of ${sensor.command[0]}` : 'level of a GPIO line';
  const entry = { type: 'flag', key, profile: 'minimal', meaning, source: 'the configuration' } as const;
  const unit = new GlobMap(scale).get(key) === undefined ? (sensor.unit ?? '') : '';
  const isSent = isSelected(selection, sensor.name, key, 'minimal');
  return { key, sensor: sensor.name, entry, unit, isSent, isPolled: true };
}

function tuningOf(file: string, environment: NodeJS.ProcessEnv): SensorsConfig {
  const credentialsDirectory = environment['CREDENTIALS_DIRECTORY'];
  return loadConfig({ file, fileRequired: true, environment, credentialsDirectory, names: SENSOR_NAMES })
    .config.sensors;
}
