/** `firstlight thingsboard export`: the assets as files for ThingsBoard's own import. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EX_CANTCREAT, EX_OK } from '../../app/exit-codes.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { JsonObject } from '../../core/model/json-object.ts';
import { ALARM_RULES } from '../../thingsboard/assets/alarms/alarm-rules.ts';
import { calculatedField } from '../../thingsboard/assets/alarms/calculated-field.ts';
import { fleetDashboard } from '../../thingsboard/assets/dashboards/fleet.ts';
import { gatewayDashboard } from '../../thingsboard/assets/dashboards/gateway.ts';
import { makeProvisioningPair, newProfile, type ProvisioningPair } from '../../thingsboard/assets/profile.ts';
import { type AssetSources, Keys } from '../../thingsboard/assets/sources.ts';
import type { Out } from '../ui/terminal.ts';
import { assetSources } from './asset-sources.ts';

/** Overwrites files of an earlier export, except the profile: its key and secret may be in use. */
export async function exportForThingsboard(
  directory: string,
  { out }: { readonly out: Out },
): Promise<number> {
  let current = directory;
  try {
    mkdirSync(directory, { recursive: true });
    for (const { name, json, isSecret } of exportFiles(assetSources(), makeProvisioningPair())) {
      current = join(directory, name);
      const isKept = isSecret && !writeOnce(current, json);
      if (!isSecret) writeFileSync(current, textOf(json));
      out.write(`${current}${isKept ? ' (kept as it is)' : ''}\n`);
    }
    out.write('Import them in this order: see docs/thingsboard.md.\n');
    return EX_OK;
  } catch (error) {
    out.write(`${current} cannot be written (${errorCode(error) ?? 'unknown error'})\n`);
    return EX_CANTCREAT;
  }
}

/** False if the file exists. */
function writeOnce(path: string, json: unknown): boolean {
  try {
    writeFileSync(path, textOf(json), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function textOf(json: unknown): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

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
