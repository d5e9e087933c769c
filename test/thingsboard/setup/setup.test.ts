/** `firstlight thingsboard setup` on the strict double: made once, unchanged, updated, and left where an operator decided. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assetSources } from '../../../src/cli/thingsboard/asset-sources.ts';
import { ALARM_RULES } from '../../../src/thingsboard/assets/alarms/alarm-rules.ts';
import { provisioningPairOf } from '../../../src/thingsboard/assets/profile.ts';
import { FLEET_TITLE, GATEWAY_TITLE, PROFILE_NAME } from '../../../src/thingsboard/assets/sources.ts';
import { planRemoval, remove } from '../../../src/thingsboard/setup/remove.ts';
import { stride } from '../../repetitions.ts';
import { badRequest } from '../double/refusal.ts';
import { RestDouble } from '../double/rest-double.ts';
import { logIn, only, runSetup, tally } from './setup-harness.ts';

const RULES = ALARM_RULES.length;
const ALL = RULES + 3;

describe('a setup of an empty tenant', () => {
  it('makes the profile, every alarm rule and two dashboards', async () => {
    await using double = await RestDouble.open();
    assert.deepEqual(tally(await runSetup(double)), { make: ALL });
    const profile = only(double.tenant.profiles.values());
    assert.equal(profile['name'], PROFILE_NAME);
    assert.equal(profile['provisionType'], 'ALLOW_CREATE_NEW_DEVICES');
    assert.match(String(profile['provisionDeviceKey']), /^[a-z0-9]{20}$/);
    assert.deepEqual(
      [...double.tenant.rules.values()].map((rule) => rule['name']),
      ALARM_RULES.map(({ name }) => name),
    );
    assert.deepEqual(
      [...double.tenant.dashboards.values()].map((dashboard) => dashboard['title']),
      [GATEWAY_TITLE, FLEET_TITLE],
    );
  });

  it('opens the gateway dashboard from a row of the fleet dashboard', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const [gateway, fleet] = [...double.tenant.dashboards.values()];
    assert.ok(JSON.stringify(fleet?.['configuration']).includes(`"targetDashboardId":"${gateway?.id.id}"`));
  });

  it('makes nothing in a dry run', async () => {
    await using double = await RestDouble.open();
    assert.deepEqual(tally(await runSetup(double, { dryRun: true })), { make: ALL });
    assert.deepEqual(double.changes, []);
  });

  it('makes no alarm rules before ThingsBoard 4.3', async () => {
    await using double = await RestDouble.open({ version: '4.2.1' });
    assert.deepEqual(tally(await runSetup(double, { hasAlarmRules: false })), { make: 3 });
  });

  it('finds its names among hundreds of others', async () => {
    await using double = await RestDouble.open();
    const entities = await logIn(double);
    for (let index = 0; index < 250; index += 1)
      await entities.saveDashboard({ title: `${GATEWAY_TITLE} ${index}`, configuration: {} });
    await runSetup(double);
    double.tenant.attributes.clear();
    assert.deepEqual(tally(await runSetup(double)), { adopt: ALL });
    assert.equal(double.tenant.dashboards.size, 252);
  });
});

describe('a second setup', () => {
  it('changes nothing', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const before = double.changes.length;
    assert.deepEqual(tally(await runSetup(double)), { keep: ALL });
    assert.equal(double.changes.length, before);
  });

  it('completes an interrupted one, at whatever request it was interrupted', async () => {
    await using whole = await RestDouble.open();
    await runSetup(whole);
    for (let requests = 1; requests < whole.requests.length; requests += stride(30)) {
      await using double = await RestDouble.open();
      double.dropAfter = requests;
      await assert.rejects(runSetup(double), { name: 'RestError', reason: 'unreachable' });
      double.dropAfter = Number.POSITIVE_INFINITY;
      await runSetup(double);
      const { profiles, rules, dashboards } = double.tenant;
      assert.deepEqual([profiles.size, rules.size, dashboards.size], [1, RULES, 2], `after ${requests}`);
      assert.deepEqual(tally(await runSetup(double)), { keep: ALL }, `after ${requests}`);
    }
  });

  it('adds what an upgrade of ThingsBoard makes possible', async () => {
    await using double = await RestDouble.open();
    await runSetup(double, { hasAlarmRules: false });
    assert.deepEqual(tally(await runSetup(double)), { keep: 3, make: RULES });
  });
});

describe('a setup by a newer version', () => {
  const newer = { version: '1.1.0', sources: { ...assetSources(), settings: [] } };

  it('updates what no operator changed', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const done = await runSetup(double, newer);
    assert.equal(done.get(`dashboard ${GATEWAY_TITLE}`), 'update');
    assert.deepEqual(tally(done), { keep: ALL - 1, update: 1 });
    assert.deepEqual(tally(await runSetup(double, newer)), { keep: ALL });
  });

  it('leaves a dashboard that was changed by hand, and says so', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    rename(double, GATEWAY_TITLE, 'Our gateway');
    const done = await runSetup(double, newer);
    assert.equal(done.get(`dashboard ${GATEWAY_TITLE}`), 'left: changed');
    const titles = [...double.tenant.dashboards.values()].map(({ title }) => title);
    assert.deepEqual(titles, ['Our gateway', FLEET_TITLE]);
  });

  it('does not make an alarm rule again that was deleted by hand', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const rule = [...double.tenant.rules.values()].find(({ name }) => name === 'Root file system read-only');
    double.tenant.rules.delete(rule?.id.id ?? '');
    const done = await runSetup(double, newer);
    assert.equal(done.get('alarm rule Root file system read-only'), 'left: deleted');
    assert.equal(double.tenant.rules.size, RULES - 1);
  });

  it('with --reset overwrites changes and makes deleted entities again', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    rename(double, GATEWAY_TITLE, 'Our gateway');
    double.tenant.rules.clear();
    assert.deepEqual(tally(await runSetup(double, { reset: true })), { keep: 2, update: 1, make: RULES });
    assert.deepEqual(tally(await runSetup(double)), { keep: ALL });
  });

  it('an older version refuses to touch what a newer one made', async () => {
    await using double = await RestDouble.open();
    await runSetup(double, { version: '1.10.0' });
    const before = double.changes.length;
    await assert.rejects(
      runSetup(double, { version: '1.9.0' }),
      /set up by Firstlight 1\.10\.0, which is newer/,
    );
    assert.equal(double.changes.length, before);
  });

  it('removes an alarm rule of an older version that this version does not have', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const attribute = only(double.tenant.attributes.entries());
    const record = structuredClone(attribute[1]) as { items: Record<string, unknown> };
    const [rule] = double.tenant.rules.values();
    record.items['alarm rule: Old rule'] = record.items[`alarm rule: ${rule?.['name']}`];
    delete record.items[`alarm rule: ${rule?.['name']}`];
    double.tenant.rules.set(rule?.id.id ?? '', { ...rule, name: 'Old rule' } as never);
    double.tenant.attributes.set(attribute[0], record);
    const done = await runSetup(double);
    assert.equal(done.get('alarm rule Old rule'), 'left: changed');
    assert.equal(done.get(`alarm rule ${rule?.['name']}`), 'make');
  });
});

describe('an inactivity time-out', () => {
  const inactivity = 'calculated field Inactivity time-out';
  const expressions = (double: RestDouble): unknown[] =>
    [...double.tenant.rules.values()]
      .filter(({ type }) => type === 'SCRIPT')
      .map(({ configuration }) => (configuration as { expression: unknown }).expression);

  it('is a calculated field of the profile, in ms, that another value replaces', async () => {
    await using double = await RestDouble.open();
    assert.equal((await runSetup(double, { inactivityMs: 1_800_000 })).get(inactivity), 'make');
    assert.deepEqual(expressions(double), ['return {"inactivityTimeout": 1800000};']);
    assert.equal((await runSetup(double, { inactivityMs: 1_800_000 })).get(inactivity), 'keep');
    assert.equal((await runSetup(double, { inactivityMs: 3_600_000 })).get(inactivity), 'update');
    assert.deepEqual(expressions(double), ['return {"inactivityTimeout": 3600000};']);
  });

  it('stays if a later setup gives none, and goes with a removal', async () => {
    await using double = await RestDouble.open();
    await runSetup(double, { inactivityMs: 1_800_000 });
    assert.equal((await runSetup(double)).get(inactivity), undefined);
    assert.equal(expressions(double).length, 1);
    double.tenant.addDevice(only(double.tenant.profiles.values()).id.id);
    await removeAll(double);
    assert.deepEqual(expressions(double), []);
  });

  it('is not made without being asked for', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    assert.deepEqual(expressions(double), []);
  });
});

describe('what an operator owns', () => {
  it('key, secret, rule chain and debug settings survive an update', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const { id } = only(double.tenant.profiles.values());
    const chain = { entityType: 'RULE_CHAIN', id: 'chain' };
    double.tenant.edit('profiles', id.id, () => ({ provisionDeviceKey: 'mine', defaultRuleChainId: chain }));
    const [rule] = double.tenant.rules.values();
    double.tenant.edit('rules', rule?.id.id ?? '', () => ({ debugSettings: { allEnabled: true } }));
    assert.deepEqual(tally(await runSetup(double, { reset: true })), { keep: ALL });
    const profile = only(double.tenant.profiles.values());
    assert.equal(profile['provisionDeviceKey'], 'mine');
    assert.deepEqual(profile['defaultRuleChainId'], chain);
  });

  it('a profile of the same name that this command did not make is not touched', async () => {
    await using double = await RestDouble.open();
    const entities = await logIn(double);
    await entities.saveProfile({
      name: PROFILE_NAME,
      type: 'DEFAULT',
      transportType: 'DEFAULT',
      provisionType: 'DISABLED',
      profileData: { provisionConfiguration: { type: 'DISABLED' } },
    });
    const before = double.changes.length;
    await assert.rejects(runSetup(double), /did not make: rename it, or take it over with --reset/);
    assert.equal(double.changes.length, before);
  });

  it('a profile in which provisioning was switched off gets a new key and secret with --reset', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const before = only(double.tenant.profiles.values());
    const off = { type: 'DISABLED', provisionDeviceSecret: null };
    double.tenant.edit('profiles', before.id.id, ({ profileData }) => ({
      provisionType: 'DISABLED',
      provisionDeviceKey: null,
      defaultQueueName: 'Main',
      profileData: { ...(profileData as object), provisionConfiguration: off, alarms: ['theirs'] },
    }));
    assert.equal((await runSetup(double)).get(`device profile ${PROFILE_NAME}`), 'left: changed');
    assert.equal((await runSetup(double, { reset: true })).get(`device profile ${PROFILE_NAME}`), 'update');
    const after = only(double.tenant.profiles.values());
    assert.match(provisioningPairOf(after)?.secret.reveal() ?? '', /^[a-z0-9]{32}$/);
    assert.notEqual(after['provisionDeviceKey'], before['provisionDeviceKey']);
    assert.equal(after['defaultQueueName'], 'Main');
    assert.deepEqual((after['profileData'] as { alarms: unknown }).alarms, ['theirs']);
  });

  it('a dashboard of the same title that this command did not make is not touched', async () => {
    await using double = await RestDouble.open();
    await (await logIn(double)).saveDashboard({ title: FLEET_TITLE, configuration: { widgets: {} } });
    const done = await runSetup(double);
    assert.equal(done.get(`dashboard ${FLEET_TITLE}`), 'left: not ours');
    assert.deepEqual(double.tenant.dashboards.size, 2);
  });

  it('a change between reading and saving is not overwritten', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    double.intercept = (method, path) => {
      if (method === 'POST' && path === '/api/dashboard') rename(double, GATEWAY_TITLE, 'Changed meanwhile');
      return undefined;
    };
    await assert.rejects(
      runSetup(double, { version: '1.1.0', sources: { ...assetSources(), settings: [] } }),
      {
        reason: 'changed-meanwhile',
      },
    );
  });
});

describe('a setup that the server stops half-way', () => {
  it('names what was refused, and the next one completes it', async () => {
    await using double = await RestDouble.open();
    double.intercept = (method, path) =>
      method === 'POST' && path === '/api/dashboard' ? badRequest('Dashboards limit reached!') : undefined;
    await assert.rejects(runSetup(double), {
      reason: 'rejected',
      message: `ThingsBoard refuses saving the dashboard ${GATEWAY_TITLE}: Dashboards limit reached!`,
    });
    double.intercept = () => undefined;
    assert.deepEqual(tally(await runSetup(double)), { keep: RULES + 1, make: 2 });
  });
});

describe('a removal', () => {
  it('removes everything that was made, and nothing else', async () => {
    await using double = await RestDouble.open();
    const entities = await logIn(double);
    await entities.saveDashboard({ title: 'Theirs', configuration: {} });
    await runSetup(double);
    await removeAll(double);
    assert.equal(double.tenant.profiles.size, 0);
    assert.equal(double.tenant.rules.size, 0);
    assert.deepEqual(
      [...double.tenant.dashboards.values()].map(({ title }) => title),
      ['Theirs'],
    );
    assert.equal(await planRemoval(entities), undefined);
  });

  it('keeps the profile while devices use it, and touches no device', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    const { id } = only(double.tenant.profiles.values());
    const device = double.tenant.addDevice(id.id);
    const plan = await removeAll(double);
    assert.equal(plan?.deviceCount, 1);
    assert.deepEqual(
      [double.tenant.profiles.size, double.tenant.dashboards.size, double.tenant.rules.size],
      [1, 0, 0],
    );
    assert.ok(double.tenant.devices.has(device));
    double.tenant.devices.delete(device);
    await removeAll(double);
    assert.equal(double.tenant.profiles.size, 0);
  });

  it('is followed by a setup that makes everything again', async () => {
    await using double = await RestDouble.open();
    await runSetup(double);
    double.tenant.addDevice(only(double.tenant.profiles.values()).id.id);
    await removeAll(double);
    assert.deepEqual(tally(await runSetup(double)), { keep: 1, make: ALL - 1 });
  });

  it('finds nothing in a tenant without a setup', async () => {
    await using double = await RestDouble.open();
    assert.equal(await planRemoval(await logIn(double)), undefined);
  });
});

async function removeAll(double: RestDouble) {
  const entities = await logIn(double);
  const plan = await planRemoval(entities);
  if (plan) await remove(entities, plan, () => {});
  return plan;
}

function rename(double: RestDouble, from: string, to: string): void {
  for (const { id, title } of [...double.tenant.dashboards.values()])
    if (title === from) double.tenant.edit('dashboards', id.id, () => ({ title: to, name: to }));
}
