/** The requests of a setup: profiles, alarm rules, dashboards and attributes, by ThingsBoard's paths. */

import type { JsonObject } from '../../core/model/json-object.ts';
import type { RestClient } from './client.ts';
import { idOf, numberOf, objectsOf, textOf } from './json-values.ts';

export interface ServerInfo {
  /** `4.3.1.3` */
  readonly version: string;
  /** `CE` or `PE`; empty if the server does not say. */
  readonly edition: string;
}

export interface UserInfo {
  readonly name: string;
  /** `TENANT_ADMIN`, `SYS_ADMIN`, `CUSTOMER_USER`. */
  readonly authority: string;
}

const PAGE_SIZE = 100;
/** More pages than a tenant has entities that match a name. */
const PAGES_MAX = 100;

export class Entities {
  readonly #client: RestClient;

  constructor(client: RestClient) {
    this.#client = client;
  }

  async server(): Promise<ServerInfo> {
    const what = 'reading the version';
    const info = await this.#client.object({ method: 'GET', path: '/api/system/info', what });
    return { version: textOf(info, 'version'), edition: textOf(info, 'type') };
  }

  async user(): Promise<UserInfo> {
    const what = 'reading the user';
    const user = await this.#client.object({ method: 'GET', path: '/api/auth/user', what });
    return { name: textOf(user, 'email') || textOf(user, 'name'), authority: textOf(user, 'authority') };
  }

  /** The whole device profile of exactly this name. */
  async profile(name: string): Promise<JsonObject | undefined> {
    const what = 'reading the device profiles';
    const infos = await this.#pages('/api/deviceProfileInfos', { textSearch: name }, what);
    const info = infos.find((each) => textOf(each, 'name') === name);
    if (!info) return undefined;
    return this.#client.find({ method: 'GET', path: `/api/deviceProfile/${idOf(info)}`, what });
  }

  saveProfile(profile: JsonObject): Promise<JsonObject> {
    const what = 'saving the device profile';
    return this.#client.object({ method: 'POST', path: '/api/deviceProfile', body: profile, what });
  }

  async deleteProfile(id: string): Promise<void> {
    const what = 'deleting the device profile';
    await this.#client.object({ method: 'DELETE', path: `/api/deviceProfile/${id}`, what });
  }

  /** The number of devices that use this profile. */
  async deviceCount(profileId: string): Promise<number> {
    const path = `/api/tenant/deviceInfos?pageSize=1&page=0&deviceProfileId=${profileId}`;
    const page = await this.#client.object({ method: 'GET', path, what: 'counting the devices' });
    return numberOf(page, 'totalElements');
  }

  /** Whole alarm rules: calculated fields of type ALARM. ThingsBoard 4.3 and later. */
  alarmRules(profileId: string): Promise<readonly JsonObject[]> {
    const path = `/api/DEVICE_PROFILE/${profileId}/calculatedFields`;
    return this.#pages(path, { type: 'ALARM' }, 'reading the alarm rules');
  }

  saveAlarmRule(rule: JsonObject): Promise<JsonObject> {
    const what = `saving the alarm rule ${textOf(rule, 'name')}`;
    return this.#client.object({ method: 'POST', path: '/api/calculatedField', body: rule, what });
  }

  async deleteAlarmRule(id: string): Promise<void> {
    const what = 'deleting an alarm rule';
    await this.#client.object({ method: 'DELETE', path: `/api/calculatedField/${id}`, what });
  }

  /** The whole dashboard of exactly this title; the first one, if there are several. */
  async dashboardTitled(title: string): Promise<JsonObject | undefined> {
    const what = 'reading the dashboards';
    const infos = await this.#pages('/api/tenant/dashboards', { textSearch: title }, what);
    const info = infos.find((each) => textOf(each, 'title') === title);
    return info && this.dashboard(idOf(info));
  }

  dashboard(id: string): Promise<JsonObject | undefined> {
    return this.#client.find({ method: 'GET', path: `/api/dashboard/${id}`, what: 'reading a dashboard' });
  }

  saveDashboard(dashboard: JsonObject): Promise<JsonObject> {
    const what = `saving the dashboard ${textOf(dashboard, 'title')}`;
    return this.#client.object({ method: 'POST', path: '/api/dashboard', body: dashboard, what });
  }

  async deleteDashboard(id: string): Promise<void> {
    const what = 'deleting a dashboard';
    await this.#client.object({ method: 'DELETE', path: `/api/dashboard/${id}`, what });
  }

  /** The value of a server attribute of the device profile; undefined if there is none. */
  async profileAttribute(profileId: string, key: string): Promise<unknown> {
    const path = `/api/plugins/telemetry/DEVICE_PROFILE/${profileId}/values/attributes/SERVER_SCOPE?keys=${key}`;
    const what = 'reading the record of the setup';
    const values = await this.#client.list({ method: 'GET', path, what });
    return values.find((each) => each['key'] === key)?.['value'];
  }

  async saveProfileAttribute(profileId: string, key: string, value: JsonObject): Promise<void> {
    const path = `/api/plugins/telemetry/DEVICE_PROFILE/${profileId}/attributes/SERVER_SCOPE`;
    const what = 'saving the record of the setup';
    await this.#client.object({ method: 'POST', path, body: { [key]: value }, what });
  }

  async #pages(
    path: string,
    query: Readonly<Record<string, string>>,
    what: string,
  ): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const parameters = new URLSearchParams({ pageSize: String(PAGE_SIZE), page: String(page), ...query });
      const answer = await this.#client.object({ method: 'GET', path: `${path}?${parameters}`, what });
      found.push(...objectsOf(answer, 'data'));
      if (answer['hasNext'] !== true) break;
    }
    return found;
  }
}
