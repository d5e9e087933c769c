/** All assets as the files that ThingsBoard's own import reads, for an operator who prefers the web interface. */

import type { JsonObject } from '../../core/model/json-object.ts';
import { ALARM_RULES } from '../assets/alarms/alarm-rules.ts';
import { calculatedField } from '../assets/alarms/calculated-field.ts';
import { fleetDashboard } from '../assets/dashboards/fleet.ts';
import { gatewayDashboard } from '../assets/dashboards/gateway.ts';
import { newProfile, type ProvisioningPair } from '../assets/profile.ts';
import { type AssetSources, Keys } from '../assets/sources.ts';

export interface ExportFile {
  readonly name: string;
  readonly json: JsonObject;
  /** It contains the provisioning secret. */
  readonly isSecret: boolean;
}

/** In the order of their import. The fleet does not open a gateway, because the id of its dashboard is not known yet. */
export function exportFiles(sources: AssetSources, pair: ProvisioningPair): readonly ExportFile[] {
  const keys = new Keys(sources);
  return [
    { name: 'device-profile.json', json: newProfile(pair), isSecret: true },
    ...ALARM_RULES.map((rule) => ({
      name: `alarm-rule-${rule.name.toLowerCase().replaceAll(' ', '-')}.json`,
      json: calculatedField(rule, keys),
      isSecret: false,
    })),
    { name: 'dashboard-gateway.json', json: exported(gatewayDashboard(sources)), isSecret: false },
    { name: 'dashboard-fleet.json', json: exported(fleetDashboard(sources, undefined)), isSecret: false },
  ];
}

function exported(dashboard: JsonObject): JsonObject {
  return { ...dashboard, name: dashboard['title'], image: null, mobileHide: false, mobileOrder: null };
}
