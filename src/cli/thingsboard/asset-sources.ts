/** What the assets are made from: the catalogue of the sensors, and the settings that the server may change. */

import type { Setting } from '../../config/schema/setting.ts';
import { allSettings } from '../../config/schema/settings.ts';
import { collectors } from '../../sensors/catalogue.ts';
import type { AssetSources, RemoteSetting } from '../../thingsboard/assets/sources.ts';

/** Tables whose settings are shared attributes; of [server] only those named below. */
const REMOTE_TABLES: ReadonlySet<string> = new Set(['telemetry', 'sensors', 'outbox', 'log']);
const REMOTE_KEYS: ReadonlySet<string> = new Set(['server.url', 'server.spread']);

export function assetSources(): AssetSources {
  return { sensors: collectors, settings: allSettings.filter(isRemote).map(toRemoteSetting) };
}

function isRemote({ key }: Setting): boolean {
  const [table = ''] = key.split('.');
  return REMOTE_TABLES.has(table) || REMOTE_KEYS.has(key);
}

function toRemoteSetting({ key, default: fallback = '', type, bound }: Setting): RemoteSetting {
  const options = type === 'choice' ? bound.split(' | ') : [];
  return { attribute: attributeOf(key), key, default: fallback, options };
}

/** `telemetry.drain-rate` is telemetryDrainRate. */
export function attributeOf(key: string): string {
  return key.replace(/[.-]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
