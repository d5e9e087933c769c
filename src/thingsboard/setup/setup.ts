/**
 * Makes the device profile, its alarm rules and the dashboards, one after the other, and keeps the record. A second run changes
 * nothing; a newer version updates what no operator changed. An interrupted run is completed by the next one.
 */

import type { JsonObject } from '../../core/model/json-object.ts';
import { ALARM_RULES } from '../assets/alarms/alarm-rules.ts';
import { calculatedField } from '../assets/alarms/calculated-field.ts';
import { fleetDashboard } from '../assets/dashboards/fleet.ts';
import { gatewayDashboard } from '../assets/dashboards/gateway.ts';
import {
  makeProvisioningPair,
  newProfile,
  PROFILE_CONTENT,
  type ProvisioningPair,
  provisioningPairOf,
} from '../assets/profile.ts';
import {
  type AssetSources,
  FLEET_TITLE,
  GATEWAY_TITLE,
  Keys,
  PROFILE_NAME,
  RECORD_ATTRIBUTE,
} from '../assets/sources.ts';
import type { Entities } from '../rest/entities.ts';
import { idOf, textOf } from '../rest/json-values.ts';
import { RestError } from '../rest/rest-error.ts';
import { fingerprintOf, type Kind } from './content.ts';
import { type Decision, decide } from './decide.ts';
import { isNewer, itemKey, parseRecord, type RecordedItem, recordJson } from './record.ts';

export interface SetupOptions {
  readonly sources: AssetSources;
  /** Version of Firstlight. */
  readonly version: string;
  readonly hasAlarmRules: boolean;
  readonly dryRun: boolean;
  readonly reset: boolean;
  /** Called after each entity. */
  readonly onResult: (result: ItemResult) => void;
}

export interface ItemResult {
  readonly kind: Kind;
  readonly name: string;
  readonly decision: Decision;
}

export interface SetupResult {
  /** Undefined in a dry run without a profile, and if the profile does not let devices be created. */
  readonly pair: ProvisioningPair | undefined;
}

export async function setUp(entities: Entities, options: SetupOptions): Promise<SetupResult> {
  const found = await entities.profile(PROFILE_NAME);
  const run = new SetupRun(entities, options);
  if (found) await run.readRecord(idOf(found));
  try {
    const profile = await run.profile(found);
    if (options.hasAlarmRules) await run.alarmRules(profile);
    const gatewayId = await run.dashboard(GATEWAY_TITLE, gatewayDashboard(options.sources));
    await run.dashboard(FLEET_TITLE, fleetDashboard(options.sources, gatewayId));
    return { pair: profile && provisioningPairOf(profile) };
  } finally {
    await run.saveRecord();
  }
}

class SetupRun {
  readonly #entities: Entities;
  readonly #options: SetupOptions;
  #profileId = '';
  #saved = '';
  #items = new Map<string, RecordedItem>();

  constructor(entities: Entities, options: SetupOptions) {
    this.#entities = entities;
    this.#options = options;
  }

  async readRecord(profileId: string): Promise<void> {
    const record = parseRecord(await this.#entities.profileAttribute(profileId, RECORD_ATTRIBUTE));
    if (isNewer(record.madeBy, this.#options.version))
      throw new RestError(
        'unsupported-version',
        `this tenant was set up by Firstlight ${record.madeBy}, which is newer than this one (${this.#options.version}): use that version`,
      );
    this.#items = new Map(record.items);
    this.#profileId = profileId;
    this.#saved = JSON.stringify(recordJson(record));
  }

  /** Writes the record if it changed. */
  async saveRecord(): Promise<void> {
    const { dryRun, version } = this.#options;
    // Without an item, the profile may be somebody else's.
    if (dryRun || this.#profileId === '' || this.#items.size === 0) return;
    const record = recordJson({ madeBy: version, items: this.#items });
    if (JSON.stringify(record) === this.#saved) return;
    await this.#entities.saveProfileAttribute(this.#profileId, RECORD_ATTRIBUTE, record);
    this.#saved = JSON.stringify(record);
  }

  /** The profile after this step; undefined in a dry run that would make it. */
  async profile(found: JsonObject | undefined): Promise<JsonObject | undefined> {
    // An operator who deleted the profile deleted its record too, so it is made again.
    const decision = this.#decide('device profile', PROFILE_NAME, PROFILE_CONTENT, found);
    if (decision.do === 'leave' && decision.because === 'not ours')
      throw new RestError(
        'rejected',
        `there is a device profile "${PROFILE_NAME}" that this command did not make: rename it, or take it over with --reset`,
      );
    const saved = await this.#carryOut('device profile', PROFILE_NAME, decision, found, () =>
      this.#entities.saveProfile(
        found ? { ...found, ...PROFILE_CONTENT } : newProfile(makeProvisioningPair()),
      ),
    );
    if (saved && this.#profileId === '') this.#profileId = idOf(saved);
    return saved;
  }

  async alarmRules(profile: JsonObject | undefined): Promise<void> {
    const keys = new Keys(this.#options.sources);
    const profileId = profile ? idOf(profile) : '';
    const found = profile ? await this.#entities.alarmRules(profileId) : [];
    const wanted = new Map(ALARM_RULES.map((rule) => [rule.name, calculatedField(rule, keys)]));
    for (const name of new Set([...wanted.keys(), ...this.#recordedNames('alarm rule')])) {
      const existing = found.find((rule) => textOf(rule, 'name') === name);
      const content = wanted.get(name);
      const decision = this.#decide('alarm rule', name, content, existing);
      if (decision.do === 'delete' && existing && !this.#options.dryRun)
        await this.#entities.deleteAlarmRule(idOf(existing));
      const entityId = { entityType: 'DEVICE_PROFILE', id: profileId };
      await this.#carryOut('alarm rule', name, decision, existing, () =>
        this.#entities.saveAlarmRule({ ...existing, ...content, entityId }),
      );
    }
  }

  /** The id of the dashboard after this step; undefined if there is none. */
  async dashboard(title: string, content: JsonObject): Promise<string | undefined> {
    const id = this.#items.get(itemKey('dashboard', title))?.id;
    const recorded = id === undefined ? undefined : await this.#entities.dashboard(id);
    const found = recorded ?? (await this.#entities.dashboardTitled(title));
    const decision = this.#decide('dashboard', title, content, found);
    const saved = await this.#carryOut('dashboard', title, decision, found, () =>
      this.#entities.saveDashboard({ ...found, ...content }),
    );
    return saved && idOf(saved);
  }

  #decide(kind: Kind, name: string, wanted: JsonObject | undefined, found: JsonObject | undefined): Decision {
    const recorded = this.#items.get(itemKey(kind, name));
    return decide({ kind, wanted, found, recorded, reset: this.#options.reset });
  }

  /** The entity after this step. `save` makes or updates it. */
  async #carryOut(
    kind: Kind,
    name: string,
    decision: Decision,
    found: JsonObject | undefined,
    save: () => Promise<JsonObject>,
  ): Promise<JsonObject | undefined> {
    const mustSave = decision.do === 'make' || decision.do === 'update';
    const entity = mustSave && !this.#options.dryRun ? await save() : found;
    const key = itemKey(kind, name);
    if (decision.do === 'delete' || decision.do === 'forget') this.#items.delete(key);
    else if (decision.do !== 'leave' && entity)
      this.#items.set(key, { id: idOf(entity), fingerprint: fingerprintOf(kind, entity) });
    this.#options.onResult({ kind, name, decision });
    return decision.do === 'delete' ? undefined : entity;
  }

  #recordedNames(kind: Kind): readonly string[] {
    const prefix = itemKey(kind, '');
    return [...this.#items.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  }
}
