/** Takes away what a setup made, by its record: dashboards, alarm rules, and the profile if no device uses it. */

import { PROFILE_NAME, RECORD_ATTRIBUTE } from '../assets/sources.ts';
import type { Entities } from '../rest/entities.ts';
import { idOf, textOf } from '../rest/json-values.ts';
import type { Kind } from './content.ts';
import { itemKey, parseRecord, recordJson } from './record.ts';

export interface RemovableItem {
  readonly kind: Kind;
  readonly name: string;
  readonly id: string;
}

export interface RemovalPlan {
  /** Dashboards first, the profile last. */
  readonly items: readonly RemovableItem[];
  readonly profileId: string;
  /** Devices that use the profile, which then stays. */
  readonly deviceCount: number;
}

/** Undefined if there is no profile of a setup. */
export async function planRemoval(entities: Entities): Promise<RemovalPlan | undefined> {
  const profile = await entities.profile(PROFILE_NAME);
  if (!profile) return undefined;
  const profileId = idOf(profile);
  const record = parseRecord(await entities.profileAttribute(profileId, RECORD_ATTRIBUTE));
  if (!record.items.has(itemKey('device profile', PROFILE_NAME))) return undefined;
  const items: RemovableItem[] = [];
  for (const [key, { id }] of record.items) {
    const [kind = '', name = ''] = key.split(/: (.*)/s);
    if (kind === 'dashboard') {
      const dashboard = await entities.dashboard(id);
      if (dashboard) items.push({ kind, name: textOf(dashboard, 'title') || name, id });
    }
  }
  const hasRules = [...record.items.keys()].some((key) => key.startsWith(itemKey('alarm rule', '')));
  const rules = hasRules ? await entities.alarmRules(profileId) : [];
  for (const [key, { id }] of record.items) {
    const rule = rules.find((each) => idOf(each) === id);
    if (key.startsWith(itemKey('alarm rule', '')) && rule)
      items.push({ kind: 'alarm rule', name: textOf(rule, 'name'), id });
  }
  const deviceCount = await entities.deviceCount(profileId);
  if (deviceCount === 0) items.push({ kind: 'device profile', name: PROFILE_NAME, id: profileId });
  return { items, profileId, deviceCount };
}

/** `onRemoved` is called after each. An interrupted removal is completed by the next one. */
export async function remove(
  entities: Entities,
  { items, profileId, deviceCount }: RemovalPlan,
  onRemoved: (item: RemovableItem) => void,
): Promise<void> {
  for (const item of items) {
    if (item.kind === 'dashboard') await entities.deleteDashboard(item.id);
    else if (item.kind === 'alarm rule') await entities.deleteAlarmRule(item.id);
    else await entities.deleteProfile(item.id);
    onRemoved(item);
  }
  if (deviceCount === 0) return;
  // The profile stays ours, so that a later removal can delete it and a later setup makes everything again.
  const record = parseRecord(await entities.profileAttribute(profileId, RECORD_ATTRIBUTE));
  const key = itemKey('device profile', PROFILE_NAME);
  const left = new Map([...record.items].filter(([each]) => each === key));
  await entities.saveProfileAttribute(profileId, RECORD_ATTRIBUTE, recordJson({ ...record, items: left }));
}
