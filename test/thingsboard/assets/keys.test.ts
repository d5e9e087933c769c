/** Every key that an asset names exists: in the catalogue of the sensors, the settings, the client attributes, or ThingsBoard. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GAP_KEYS } from '../../../src/core/model/loss-report.ts';
import { readBasicFacts } from '../../../src/host/hardware/basic-facts.ts';
import { CHILD_KEYS } from '../../../src/host/hardware/facts-child.ts';
import { collectors, describeKey } from '../../../src/sensors/catalogue.ts';
import { ALARM_RULES } from '../../../src/thingsboard/assets/alarms/alarm-rules.ts';
import { gatewayDashboard } from '../../../src/thingsboard/assets/dashboards/gateway.ts';
import { keyGroups } from '../../../src/thingsboard/assets/dashboards/groups.ts';
import { covers, Keys } from '../../../src/thingsboard/assets/sources.ts';
import { textOf } from '../../../src/thingsboard/rest/json-values.ts';
import { dashboards, dataKeysOf, objectsIn, rules, sources, widgetsOf } from './assets-fixture.ts';

/** ThingsBoard's own names of software updates, which the agent reports or ThingsBoard sets. */
const UPDATE_TELEMETRY = ['sw_state', 'sw_error', 'current_sw_version', 'current_sw_title'];
/** Server attributes that ThingsBoard or an operator sets, and the two that report the settings in force. */
const OTHER_ATTRIBUTES = [
  'active',
  'lastActivityTime',
  'latitude',
  'longitude',
  'sw_version',
  'configApplied',
  'configProblems',
];

const telemetry = new Set<string>([...UPDATE_TELEMETRY, GAP_KEYS.readings, GAP_KEYS.reason]);
const attributes = new Set([
  ...OTHER_ATTRIBUTES,
  ...Object.keys(readBasicFacts('1')),
  ...CHILD_KEYS,
  ...sources.settings.map(({ attribute }) => attribute),
]);

const isTelemetry = (key: string): boolean => telemetry.has(key) || describeKey(key) !== undefined;

describe('the keys in dashboards', () => {
  for (const [name, dashboard] of Object.entries(dashboards)) {
    it(`the ${name} dashboard names existing telemetry keys and attributes only`, () => {
      const named = widgetsOf(dashboard).flatMap(dataKeysOf);
      const unknown = named.filter((key) => {
        if (key['type'] === 'timeseries') return !isTelemetry(textOf(key, 'name'));
        return key['type'] === 'attribute' && !attributes.has(textOf(key, 'name'));
      });
      assert.ok(named.length > 15);
      assert.deepEqual(unknown, []);
    });
  }

  it('an asset with a key that does not exist cannot be made', () => {
    assert.throws(
      () => new Keys(sources).entry('cpuTemperature'),
      /cpuTemperature, which is not in the catalogue/,
    );
    const without = sources.sensors.filter(({ name }) => name !== 'temperature');
    assert.throws(() => gatewayDashboard({ ...sources, sensors: without }), /cpuTemperatureC/);
  });
});

describe('the keys in alarm rules', () => {
  it('each argument is an existing telemetry key, or the attribute "active" of ThingsBoard', () => {
    const references = rules.flatMap(objectsIn).filter((each) => 'key' in each);
    assert.ok(references.length >= ALARM_RULES.length);
    for (const { key, type } of references)
      assert.ok(type === 'TS_LATEST' ? isTelemetry(String(key)) : key === 'active', String(key));
  });

  it('each threshold fits type and range of its key', () => {
    for (const { name, arguments: named, levels, clear } of ALARM_RULES) {
      for (const filter of [...levels.map(({ when }) => when), clear].flatMap(({ filters }) => filters)) {
        const argument = named[filter.argument];
        assert.ok(argument, `${name}: ${filter.argument}`);
        const entry = argument.from === 'telemetry' ? new Keys(sources).entry(argument.key) : undefined;
        if ('flag' in filter) assert.ok(entry === undefined || entry.type === 'flag', name);
        if ('text' in filter) assert.equal(entry?.type, 'text', name);
        if (!('number' in filter)) continue;
        assert.equal(entry?.type, 'number', name);
        const { min = Number.NaN, max = Number.NaN } = entry ?? {};
        assert.ok(
          filter.number >= min && filter.number <= max,
          `${name}: ${filter.number} of ${min} to ${max}`,
        );
      }
    }
  });

  it('each rule uses keys of the profile "default", so that it works without configuration', () => {
    for (const { arguments: named } of ALARM_RULES)
      for (const { key, from } of Object.values(named))
        if (from === 'telemetry') assert.notEqual(new Keys(sources).entry(key).profile, 'full', key);
  });
});

describe('the latest values in groups', () => {
  it('every key of the catalogue without a * is in exactly one group', () => {
    const shown = keyGroups(sources.sensors).flatMap(({ keys }) => keys);
    for (const { key } of collectors.flatMap(({ catalogue }) => catalogue))
      if (!key.includes('*')) assert.equal(shown.filter((each) => each === key).length, 1, key);
  });

  it('each collector has a group of its own subject', () => {
    assert.equal(
      keyGroups(sources.sensors).find(({ title }) => title === 'Other'),
      undefined,
    );
  });

  it('the keys of a new sensor appear without further work', () => {
    const catalogue = [
      { key: 'newValue', type: 'number', profile: 'full', meaning: 'a value', unit: 'V' },
    ] as const;
    const sensors = [...sources.sensors, { name: 'brandNew', catalogue }];
    const dashboard = gatewayDashboard({ ...sources, sensors });
    const named = widgetsOf(dashboard).flatMap(dataKeysOf);
    assert.ok(named.some(({ name, units }) => name === 'newValue' && units === 'V'));
  });

  it('a pattern covers the names that stand for its *', () => {
    assert.ok(covers('net*RxBytesPerS', 'netEth0RxBytesPerS'));
    assert.ok(!covers('net*RxBytesPerS', 'netRxBytesPerS'));
    assert.ok(!covers('load1', 'load15'));
  });
});
