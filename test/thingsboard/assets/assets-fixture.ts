/** All assets as the setup makes them, and the walks through them that the tests share. */

import { assetSources } from '../../../src/cli/thingsboard/asset-sources.ts';
import { isJsonObject, type JsonObject } from '../../../src/core/model/json-object.ts';
import { ALARM_RULES } from '../../../src/thingsboard/assets/alarms/alarm-rules.ts';
import { calculatedField } from '../../../src/thingsboard/assets/alarms/calculated-field.ts';
import { fleetDashboard } from '../../../src/thingsboard/assets/dashboards/fleet.ts';
import { gatewayDashboard } from '../../../src/thingsboard/assets/dashboards/gateway.ts';
import { Keys } from '../../../src/thingsboard/assets/sources.ts';
import { objectOf } from '../../../src/thingsboard/rest/json-values.ts';

export const GATEWAY_ID = 'a4ec0680-ec26-11f1-8dd6-d982e7bce672';
export const sources = assetSources();
export const keys = new Keys(sources);
export const dashboards: Readonly<Record<string, JsonObject>> = {
  fleet: fleetDashboard(sources, GATEWAY_ID),
  gateway: gatewayDashboard(sources),
};
export const rules: readonly JsonObject[] = ALARM_RULES.map((rule) => calculatedField(rule, keys));

export function widgetsOf(dashboard: JsonObject): readonly JsonObject[] {
  return Object.values(objectOf(objectOf(dashboard, 'configuration'), 'widgets')).filter(isJsonObject);
}

/** The datasources of a widget, that of an alarm table and those of a map included. */
export function datasourcesOf(widget: JsonObject): readonly JsonObject[] {
  const config = objectOf(widget, 'config');
  const markers = objectOf(config, 'settings')['markers'];
  return [config['datasources'], [config['alarmSource']], markers]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .filter(isJsonObject);
}

export function dataKeysOf(widget: JsonObject): readonly JsonObject[] {
  return datasourcesOf(widget)
    .flatMap((source) => [source['dataKeys'], source['additionalDataKeys'], [source['xKey'], source['yKey']]])
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .filter(isJsonObject);
}

/** Every object in a JSON value, at any depth. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (!isJsonObject(value)) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

/** Runs the body of a function as ThingsBoard does. */
export function runScript(body: string, names: readonly string[], values: readonly unknown[]): unknown {
  return new Function(...names, body)(...values);
}
