/**
 * What the assets are made from: the catalogue of the sensors and the table of settings, which other rooms own, and the names of
 * what a setup makes. It never touches anything of another name.
 */

import { GAP_KEYS } from '../../core/model/loss-report.ts';

export const PROFILE_NAME = 'Firstlight gateways';
export const FLEET_TITLE = 'Firstlight fleet';
export const GATEWAY_TITLE = 'Firstlight gateway';
/** In the description of the profile. */
export const MADE_BY = 'Made by "firstlight thingsboard setup".';
/** The server attribute of the profile with the record of the setup. */
export const RECORD_ATTRIBUTE = 'firstlightSetup';

/** A telemetry key; the entries of the sensor catalogue have this shape. */
export interface TelemetryKey {
  /** With at most one `*`, which stands for a name found on the host. */
  readonly key: string;
  readonly type: 'number' | 'flag' | 'text';
  readonly profile: 'minimal' | 'default' | 'full';
  readonly meaning: string;
  /** Of a number. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
}

export interface SensorKeys {
  /** Name of the collector. */
  readonly name: string;
  readonly catalogue: readonly TelemetryKey[];
}

/** A setting that the server may change, as a shared attribute. */
export interface RemoteSetting {
  /** `telemetryInterval` */
  readonly attribute: string;
  /** `telemetry.interval` */
  readonly key: string;
  /** Empty: none. */
  readonly default: string;
  /** The accepted values of a choice; empty for any other setting. */
  readonly options: readonly string[];
}

export interface AssetSources {
  readonly sensors: readonly SensorKeys[];
  readonly settings: readonly RemoteSetting[];
}

/** Keys that no sensor reads: gap records, and software updates by ThingsBoard's own names. */
const OTHER_KEYS: readonly TelemetryKey[] = [
  number(GAP_KEYS.readings, 'missing readings of a gap record'),
  { key: GAP_KEYS.reason, type: 'text', profile: 'minimal', meaning: 'why readings are missing' },
  { key: 'sw_state', type: 'text', profile: 'minimal', meaning: 'state of the software update' },
  { key: 'sw_error', type: 'text', profile: 'minimal', meaning: 'why the software update failed' },
  { key: 'current_sw_title', type: 'text', profile: 'minimal', meaning: 'installed software' },
  { key: 'current_sw_version', type: 'text', profile: 'minimal', meaning: 'installed software version' },
];

function number(key: string, meaning: string): TelemetryKey {
  const max = Number.MAX_SAFE_INTEGER;
  return { key, type: 'number', profile: 'minimal', meaning, unit: '', min: 0, max, decimals: 0 };
}

/** The telemetry keys that an asset may name. */
export class Keys {
  readonly #entries: readonly TelemetryKey[];

  constructor({ sensors }: Pick<AssetSources, 'sensors'>) {
    this.#entries = [...sensors.flatMap(({ catalogue }) => catalogue), ...OTHER_KEYS];
  }

  /** Throws if no sensor has this key: an asset that names it is wrong. */
  entry(key: string): TelemetryKey {
    const entry = this.#entries.find((each) => covers(each.key, key));
    if (!entry) throw new Error(`an asset names the key ${key}, which is not in the catalogue`);
    return entry;
  }

  unit(key: string): string {
    return this.entry(key).unit ?? '';
  }

  decimals(key: string): number {
    return this.entry(key).decimals ?? 0;
  }
}

/** Whether `key` is `pattern`, or is covered by its `*`. */
export function covers(pattern: string, key: string): boolean {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return pattern === key;
  return key.length > before.length + after.length && key.startsWith(before) && key.endsWith(after);
}
