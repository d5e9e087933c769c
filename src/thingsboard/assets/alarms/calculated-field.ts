/** An alarm rule as ThingsBoard 4.3 stores it: a calculated field of type ALARM on the device profile. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { Keys } from '../sources.ts';
import type { AlarmRule, Argument } from './alarm-rules.ts';
import { conditionJson } from './conditions.ts';

/** Without the entity that it belongs to. Throws if a key is not in the catalogue. */
export function calculatedField(rule: AlarmRule, keys: Keys): JsonObject {
  return {
    type: 'ALARM',
    name: rule.name,
    configuration: {
      type: 'ALARM',
      arguments: mapValues(rule.arguments, (argument) => argumentJson(argument, keys)),
      createRules: Object.fromEntries(
        rule.levels.map(({ severity, when, details }) => [
          severity,
          {
            condition: conditionJson(when),
            alarmDetails: details.replaceAll(/\{(\w+)\}/g, (_, name) => `$\{${name}}`),
          },
        ]),
      ),
      clearRule: { condition: conditionJson(rule.clear) },
    },
  };
}

function argumentJson({ key, from, default: fallback }: Argument, keys: Keys): JsonObject {
  if (from === 'telemetry') keys.entry(key);
  return {
    refEntityKey:
      from === 'telemetry' ? { key, type: 'TS_LATEST' } : { key, type: 'ATTRIBUTE', scope: 'SERVER_SCOPE' },
    ...(fallback !== undefined && { defaultValue: fallback }),
  };
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
