/**
 * What `firstlight sample` looks at: the collectors, the host they read, and what the agent would make of it, by the given
 * configuration or by the built-in defaults: which keys it sends, under what names.
 */

import { loadConfig } from '../config/load.ts';
import { ByKey } from '../core/by-key.ts';
import type { Value } from '../core/reading.ts';
import type { Selection } from '../core/selection.ts';
import { collectors } from '../sensors/catalogue.ts';
import type { CatalogueEntry, Collector } from '../sensors/collector.ts';
import { entryFor } from '../sensors/guard.ts';
import { openRetouch } from '../sensors/retouch.ts';
import { openTree, type Tree } from '../sensors/tree.ts';
import { type Tuning, UNTUNED, wantsOf } from '../sensors/tuning.ts';
import { SENSOR_NAMES } from './sensor-names.ts';

/** What is known of a key that is sent. */
export interface Known {
  /** Its name in the catalogue, or that of the host's part of it; another one when it is renamed. */
  readonly key: string;
  readonly sensor: string;
  readonly entry: CatalogueEntry;
  /** Empty for what has none, and for what the configuration scales to another one. */
  readonly unit: string;
  readonly isSent: boolean;
}

export interface Sampled {
  readonly collectors: readonly Collector[];
  readonly tree: Tree;
  /** What the agent would be told. */
  readonly tuning: Tuning;
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
  const tuning = config === undefined ? { ...UNTUNED, selection: DEFAULT } : tuningOf(config, environment);
  const ownNames = new Map([...tuning.rename].map(([key, name]) => [name, key]));
  const retouch = openRetouch(tuning);
  const scale = new ByKey(tuning.scale);
  return {
    collectors,
    tree: openTree(root ?? '/'),
    tuning,
    known(name) {
      const key = ownNames.get(name) ?? name;
      const collector = collectors.find(({ catalogue }) => entryFor(catalogue, key) !== undefined);
      const entry = collector && entryFor(collector.catalogue, key);
      if (collector === undefined || entry === undefined) return undefined;
      const unit = entry.type === 'number' && scale.of(key) === undefined ? entry.unit : '';
      const isSent = wantsOf(collector, tuning.selection)(key);
      return { key, sensor: collector.name, entry, unit, isSent };
    },
    sentAs: (key, value) => Object.entries(retouch({ [key]: value }))[0] ?? [key, value],
  };
}

const DEFAULT: Selection = { profile: 'default', on: [], off: [] };

function tuningOf(file: string, environment: NodeJS.ProcessEnv): Tuning {
  const credentialsDirectory = environment['CREDENTIALS_DIRECTORY'];
  return loadConfig({ file, fileRequired: true, environment, credentialsDirectory, names: SENSOR_NAMES })
    .config.sensors;
}
