/** The entities of one tenant in the double: device profiles, alarm rules, dashboards, attributes and devices. */

import { randomUUID } from 'node:crypto';
import { checkAlarmRule, normaliseAlarmRule } from './alarm-rule-check.ts';
import { badRequest, type Json, notFound, onlyMembers, Refusal } from './refusal.ts';

type Entity = Readonly<Record<string, unknown>> & { readonly id: { readonly id: string } };
type Store = Map<string, Entity>;

/** In messages. */
const NAMES: Readonly<Record<string, string>> = {
  DEVICE_PROFILE: 'Device profile',
  CALCULATED_FIELD: 'Calculated field',
  DASHBOARD: 'Dashboard',
};
const TENANT_ID = { entityType: 'TENANT', id: 'a3341d50-ec26-11f1-8dd6-d982e7bce672' };

const PROFILE_MEMBERS = [
  'id',
  'createdTime',
  'tenantId',
  'name',
  'description',
  'image',
  'type',
  'transportType',
  'provisionType',
  'defaultRuleChainId',
  'defaultDashboardId',
  'defaultQueueName',
  'provisionDeviceKey',
  'firmwareId',
  'softwareId',
  'defaultEdgeRuleChainId',
  'externalId',
  'version',
  'default',
  'profileData',
];
const RULE_MEMBERS = [
  'id',
  'createdTime',
  'tenantId',
  'entityId',
  'type',
  'name',
  'debugSettings',
  'configurationVersion',
  'configuration',
  'version',
  'additionalInfo',
];
const DASHBOARD_MEMBERS = [
  'id',
  'createdTime',
  'tenantId',
  'title',
  'name',
  'image',
  'mobileHide',
  'mobileOrder',
  'assignedCustomers',
  'configuration',
  'resources',
  'version',
  'externalId',
];

export class Tenant {
  readonly profiles: Store = new Map();
  readonly rules: Store = new Map();
  readonly dashboards: Store = new Map();
  /** Server attributes of device profiles: `profile id/key`. */
  readonly attributes = new Map<string, unknown>();
  /** Profile ids of devices, by device id. */
  readonly devices = new Map<string, string>();
  readonly #hasAlarmRules: boolean;

  constructor(hasAlarmRules: boolean) {
    this.#hasAlarmRules = hasAlarmRules;
  }

  handle(method: string, path: string, query: URLSearchParams, body: unknown): Json | undefined {
    const [, id = ''] = /\/([0-9a-f-]{36})(?:\/|$)/.exec(path) ?? [];
    switch (`${method} ${path.replace(id === '' ? '\0' : id, ':id')}`) {
      case 'POST /api/deviceProfile':
        return this.#saveProfile(onlyMembers(body, PROFILE_MEMBERS, 'DeviceProfile'));
      case 'GET /api/deviceProfile/:id':
        return found(this.profiles, 'DEVICE_PROFILE', id);
      case 'DELETE /api/deviceProfile/:id':
        return this.#deleteProfile(id);
      case 'GET /api/deviceProfileInfos':
        return page([...this.profiles.values()].map(profileInfo), query, 'name');
      case 'POST /api/calculatedField':
        return this.#saveRule(onlyMembers(body, RULE_MEMBERS, 'CalculatedField'));
      case 'DELETE /api/calculatedField/:id':
        return deleted(this.rules, 'CALCULATED_FIELD', id);
      case 'GET /api/DEVICE_PROFILE/:id/calculatedFields':
        return this.#listRules(id, query);
      case 'POST /api/dashboard':
        return this.#saveDashboard(onlyMembers(body, DASHBOARD_MEMBERS, 'Dashboard'));
      case 'GET /api/dashboard/:id':
        return found(this.dashboards, 'DASHBOARD', id);
      case 'DELETE /api/dashboard/:id':
        return deleted(this.dashboards, 'DASHBOARD', id);
      case 'GET /api/tenant/dashboards':
        return page([...this.dashboards.values()].map(dashboardInfo), query, 'title');
      case 'GET /api/tenant/deviceInfos':
        return page(this.#devicesOf(query.get('deviceProfileId') ?? ''), query, 'name');
      case 'GET /api/plugins/telemetry/DEVICE_PROFILE/:id/values/attributes/SERVER_SCOPE':
        return this.#readAttributes(id, query);
      case 'POST /api/plugins/telemetry/DEVICE_PROFILE/:id/attributes/SERVER_SCOPE':
        return this.#saveAttributes(id, body);
      case 'DELETE /api/device/:id':
        if (!this.devices.delete(id)) throw notFound(`Device with id [${id}]`);
        return undefined;
      default:
        throw new Refusal(404, `No static resource ${path.slice(1)}.`, 32);
    }
  }

  /** As a gateway does at its first boot. */
  addDevice(profileId: string): string {
    const id = randomUUID();
    this.devices.set(id, profileId);
    return id;
  }

  /** What an operator does in the web interface. */
  edit(store: 'profiles' | 'rules' | 'dashboards', id: string, change: (entity: Entity) => object): void {
    const entity = found(this[store], 'DASHBOARD', id);
    this[store].set(id, { ...entity, ...change(entity), version: Number(entity['version']) + 1 });
  }

  #saveProfile(profile: Readonly<Record<string, unknown>>): Entity {
    const { name, type, transportType, provisionType, provisionDeviceKey: key } = profile;
    if (typeof name !== 'string' || name === '') throw badRequest('Device profile name should be specified!');
    if (type !== 'DEFAULT') throw badRequest('Device profile type should be specified!');
    if (transportType !== 'DEFAULT') throw badRequest('Device profile transport type should be specified!');
    const data = onlyMembers(
      profile['profileData'],
      ['configuration', 'transportConfiguration', 'provisionConfiguration', 'alarms'],
      'DeviceProfileData',
    );
    const provisioning = data['provisionConfiguration'] as Readonly<Record<string, unknown>>;
    if (provisioning['type'] !== provisionType)
      throw badRequest('Provision type does not fit the configuration');
    const others = [...this.profiles.values()].filter((each) => each.id.id !== idIn(profile));
    if (others.some((each) => each['name'] === name))
      throw badRequest('Device profile with such name already exists!');
    if (key !== undefined && key !== null && others.some((each) => each['provisionDeviceKey'] === key))
      throw badRequest('Device profile with such provision device key already exists!');
    return save(this.profiles, 'DEVICE_PROFILE', profile, {
      description: null,
      image: null,
      defaultRuleChainId: null,
      defaultDashboardId: null,
      defaultQueueName: null,
      firmwareId: null,
      softwareId: null,
      defaultEdgeRuleChainId: null,
      externalId: null,
      default: false,
    });
  }

  #deleteProfile(id: string): undefined {
    found(this.profiles, 'DEVICE_PROFILE', id);
    if ([...this.devices.values()].includes(id))
      throw badRequest('The device profile referenced by the devices cannot be deleted!');
    for (const [ruleId, rule] of this.rules) if (ownerOf(rule) === id) this.rules.delete(ruleId);
    for (const key of this.attributes.keys()) if (key.startsWith(`${id}/`)) this.attributes.delete(key);
    return deleted(this.profiles, 'DEVICE_PROFILE', id);
  }

  #saveRule(rule: Readonly<Record<string, unknown>>): Entity {
    if (!this.#hasAlarmRules)
      throw badRequest('Cannot deserialize value of type CalculatedFieldType from String "ALARM"');
    const owner = ownerOf(rule);
    found(this.profiles, 'DEVICE_PROFILE', owner);
    const problems = checkAlarmRule(rule);
    if (problems.length > 0) throw badRequest(`Validation error: ${problems.join(', ')}`);
    const others = [...this.rules.values()].filter(
      (each) => each.id.id !== idIn(rule) && ownerOf(each) === owner,
    );
    if (others.some((each) => each['name'] === rule['name']))
      throw badRequest('Alarm rule with such type already exists');
    const configuration = normaliseAlarmRule(rule['configuration']);
    return save(
      this.rules,
      'CALCULATED_FIELD',
      { ...rule, configuration },
      {
        debugSettings: null,
        configurationVersion: 0,
        additionalInfo: null,
      },
    );
  }

  /** Without a type, alarm rules are not listed. */
  #listRules(profileId: string, query: URLSearchParams): Json {
    found(this.profiles, 'DEVICE_PROFILE', profileId);
    const rules = [...this.rules.values()].filter((rule) => ownerOf(rule) === profileId);
    return page(query.get('type') === 'ALARM' ? rules : [], query, 'name');
  }

  #saveDashboard(dashboard: Readonly<Record<string, unknown>>): Entity {
    if (typeof dashboard['title'] !== 'string' || dashboard['title'] === '')
      throw badRequest('Dashboard title should be specified!');
    return save(
      this.dashboards,
      'DASHBOARD',
      { ...dashboard, name: dashboard['title'] },
      {
        image: null,
        mobileHide: false,
        mobileOrder: null,
        assignedCustomers: null,
        resources: null,
        externalId: null,
      },
    );
  }

  #devicesOf(profileId: string): readonly Json[] {
    return [...this.devices]
      .filter(([, profile]) => profile === profileId)
      .map(([id]) => ({ id: { entityType: 'DEVICE', id }, name: `gw-${id}` }));
  }

  #readAttributes(profileId: string, query: URLSearchParams): Json {
    found(this.profiles, 'DEVICE_PROFILE', profileId);
    return (query.get('keys') ?? '').split(',').flatMap((key) => {
      const value = this.attributes.get(`${profileId}/${key}`);
      return value === undefined ? [] : [{ lastUpdateTs: 1, key, value }];
    });
  }

  #saveAttributes(profileId: string, body: unknown): undefined {
    found(this.profiles, 'DEVICE_PROFILE', profileId);
    const entries = Object.entries(body as Readonly<Record<string, unknown>>);
    if (entries.length === 0) throw Refusal.page(400, 'No attributes data found in request body!');
    for (const [key, value] of entries) this.attributes.set(`${profileId}/${key}`, value);
    return undefined;
  }
}

function idIn(entity: Readonly<Record<string, unknown>>): string | undefined {
  return (entity['id'] as { readonly id?: string } | undefined)?.id;
}

function ownerOf(rule: Readonly<Record<string, unknown>>): string {
  return (rule['entityId'] as { readonly id?: string } | undefined)?.id ?? '';
}

function found(store: Store, entityType: string, id: string): Entity {
  const entity = store.get(id);
  if (!entity) throw notFound(`${NAMES[entityType]} with id [${id}]`);
  return entity;
}

function deleted(store: Store, entityType: string, id: string): undefined {
  found(store, entityType, id);
  store.delete(id);
  return undefined;
}

/** Makes or updates; an update needs the version that was read (optimistic locking). */
function save(
  store: Store,
  entityType: string,
  entity: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): Entity {
  const id = idIn(entity);
  const previous = id === undefined ? undefined : found(store, entityType, id);
  if (previous && entity['version'] !== undefined && entity['version'] !== previous['version'])
    throw new Refusal(409, `${NAMES[entityType]} was already changed by someone else`, 35);
  const version = previous ? Number(previous['version']) + 1 : 1;
  const created = { id: { entityType, id: id ?? randomUUID() }, createdTime: 1, tenantId: TENANT_ID };
  const saved = structuredClone({ ...defaults, ...previous, ...entity, ...created, version }) as Entity;
  store.set(saved.id.id, saved);
  return saved;
}

function profileInfo({ id, name, type, transportType }: Entity): Json {
  return { id, tenantId: TENANT_ID, name, image: null, defaultDashboardId: null, type, transportType };
}

function dashboardInfo({ configuration: _, ...info }: Entity): Json {
  return info;
}

function page(all: readonly Json[], query: URLSearchParams, searched: string): Json {
  const size = Number(query.get('pageSize') ?? Number.NaN);
  const number = Number(query.get('page') ?? Number.NaN);
  if (!(size > 0) || !(number >= 0))
    throw badRequest("Required request parameter 'pageSize' or 'page' is missing");
  const search = (query.get('textSearch') ?? '').toLowerCase();
  const matching = all.filter((each) =>
    String((each as Readonly<Record<string, unknown>>)[searched] ?? '')
      .toLowerCase()
      .includes(search),
  );
  return {
    data: matching.slice(number * size, (number + 1) * size),
    totalPages: Math.ceil(matching.length / size),
    totalElements: matching.length,
    hasNext: matching.length > (number + 1) * size,
  };
}
