/**
 * What `firstlight sample` looks at: the collectors, the host they read, the operator's own sensors, and what the agent would
 * make of it, by the given configuration or by the built-in defaults: which keys it sends, under what names.
 */

import { SENSOR_NAMES } from '../../app/sensor-names.ts';
import { loadConfig } from '../../config/load.ts';
import type { SensorsConfig } from '../../core/model/config.ts';
import { keysOf, type OwnSensor } from '../../core/model/custom-sensor.ts';
import { ByKey, matches } from '../../core/model/glob.ts';
import type { Value } from '../../core/model/reading.ts';
import { type Selection, selects } from '../../core/model/selection.ts';
import { collectors } from '../../sensors/catalogue.ts';
import { openSlowReads } from '../../sensors/files/blocking-reads.ts';
import { openTree, type Tree } from '../../sensors/files/host-files.ts';
import type { CatalogueEntry, Collector } from '../../sensors/runtime/collector.ts';
import { entryFor } from '../../sensors/runtime/collector-runner.ts';
import { openRetouch } from '../../sensors/runtime/transform.ts';
import { UNTUNED, wantsOf } from '../../sensors/runtime/tuning.ts';
import { fileCollectors } from '../../sensors/system/custom-files.ts';

/** What is known of a key that is sent. */
export interface Known {
  /** Its name in the catalogue, or that of the host's part of it; another one when it is renamed. */
  readonly key: string;
  readonly sensor: string;
  readonly entry: CatalogueEntry;
  /** Empty for what has none, and for what the configuration scales to another one. */
  readonly unit: string;
  readonly isSent: boolean;
  /** Read beside the sampling: no collector can say more of it. */
  readonly isPolled?: true;
}

export interface Sampled {
  readonly collectors: readonly Collector[];
  readonly tree: Tree;
  /** What the agent would be told. */
  readonly tuning: SensorsConfig;
  /** Of a key under its own name or under that in which it is sent. */
  known(name: string): Known | undefined;
  /** What becomes of a value. */
  sentAs(key: string, value: Value): readonly [name: string, value: Value];
}

export interface SampledOptions {
  readonly config?: string;
  readonly root?: string;
}

/** Throws a ConfigError with every problem of the file. */
export function sampled({ config, root }: SampledOptions, environment: NodeJS.ProcessEnv): Sampled {
  const tuning = config === undefined ? BUILT_IN : tuningOf(config, environment);
  const files = tuning.own.filter((sensor) => sensor.kind === 'file');
  const slow = openSlowReads();
  const all = [...collectors, ...fileCollectors(files)];
  const ownNames = new Map([...tuning.rename].map(([key, name]) => [name, key]));
  const retouch = openRetouch(tuning);
  const scale = new ByKey(tuning.scale);
  return {
    collectors: all,
    tree: openTree(root ?? '/', slow),
    tuning,
    known(name) {
      const key = ownNames.get(name) ?? name;
      const collector = all.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      const entry = collector && entryFor(collector.catalogue, key);
      const own = tuning.own.find((sensor) => keysOf(sensor).some((pattern) => matches(pattern, key)));
      if (own !== undefined && own.kind !== 'file') return knownOfOwn(own, key, tuning);
      if (collector === undefined || entry === undefined) return undefined;
      const catalogued = entry.type === 'number' ? entry.unit : '';
      const unit = scale.of(key) === undefined ? (own?.unit ?? catalogued) : '';
      const isSent = wantsOf(collector, tuning.selection)(key);
      return { key, sensor: collector.name, entry, unit, isSent };
    },
    sentAs: (key, value) => Object.entries(retouch({ [key]: value }))[0] ?? [key, value],
  };
}

const DEFAULT: Selection = { profile: 'default', on: [], off: [] };
const BUILT_IN: SensorsConfig = { ...UNTUNED, selection: DEFAULT, own: [] };

/** A key of a program or a GPIO line, which no collector lists. */
function knownOfOwn(sensor: OwnSensor, key: string, { selection, scale }: SensorsConfig): Known {
  const meaning = sensor.kind === 'exec' ? `as ${sensor.command[0]} says` : 'the level of a GPIO line';
  const entry = { type: 'flag', key, profile: 'minimal', meaning, source: 'the configuration' } as const;
  const unit = new ByKey(scale).of(key) === undefined ? (sensor.unit ?? '') : '';
  const isSent = selects(selection, sensor.name, key, 'minimal');
  return { key, sensor: sensor.name, entry, unit, isSent, isPolled: true };
}

function tuningOf(file: string, environment: NodeJS.ProcessEnv): SensorsConfig {
  const credentialsDirectory = environment['CREDENTIALS_DIRECTORY'];
  return loadConfig({ file, fileRequired: true, environment, credentialsDirectory, names: SENSOR_NAMES })
    .config.sensors;
}
