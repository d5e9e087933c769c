/** The alarm rules: accepted by the rules of ThingsBoard, without flapping, with a clear condition and words that help. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALARM_RULES } from '../../../src/thingsboard/assets/alarms/alarm-rules.ts';
import { objectOf, textOf } from '../../../src/thingsboard/rest/json-values.ts';
import { checkAlarmRule } from '../double/alarm-rule-check.ts';
import { objectsIn, rules } from './assets-fixture.ts';

const DETAILS_CHARACTERS_MAX = 300;

describe('the alarm rules', () => {
  it('cover what can go wrong with a gateway', () => {
    assert.deepEqual(
      ALARM_RULES.map(({ name }) => name),
      [
        'Offline',
        'Clock not synchronised',
        'Root file system nearly full',
        'Root file system read-only',
        'Memory nearly full',
        'Under-voltage',
        'CPU temperature high',
        'Failed units',
        'Out-of-memory kills',
        'Readings lost',
        'Flash worn',
        'Update failed',
      ],
    );
  });

  for (const rule of rules) {
    it(`"${textOf(rule, 'name')}" is accepted by the rules of ThingsBoard 4.3`, () => {
      assert.deepEqual(checkAlarmRule({ ...rule, entityId: { entityType: 'DEVICE_PROFILE', id: 'x' } }), []);
    });
  }

  it('fire after a time or a number of values, and clear by themselves', () => {
    for (const { name, levels, clear } of ALARM_RULES) {
      for (const { when } of levels) assert.notEqual(when.hold.for, 'at once', name);
      const isSettled = clear.hold.for === 'seconds' || clear.filters.some(({ is }) => is === 'silent');
      // A rule that fires at one value must wait before it clears; "Offline" waits before it fires.
      const firesAtOnce = levels.some(({ when }) => when.hold.for === 'values');
      if (firesAtOnce) assert.ok(isSettled, name);
    }
  });

  it('have a gap between the value that fires and the one that clears', () => {
    for (const { name, levels, clear } of ALARM_RULES) {
      const fires = levels
        .flatMap(({ when }) => when.filters)
        .flatMap((filter) => (filter.is === 'above' ? [filter.number] : []));
      const clears = clear.filters.flatMap((filter) => (filter.is === 'below' ? [filter.number] : []));
      for (const limit of clears) for (const number of fires) assert.ok(number >= limit + 5, name);
    }
  });

  it('have details that say what to do, in a few sentences', () => {
    for (const { name, levels } of ALARM_RULES)
      for (const { details } of levels) {
        assert.ok(details.length <= DETAILS_CHARACTERS_MAX, name);
        assert.match(details, /[a-z)"]\.$/, name);
        assert.match(details, /"|Replace|Use|Check|Improve|Plan/, name);
      }
  });

  it('insert only numbers into details, because ThingsBoard reads a $ in a text as a group', () => {
    for (const { name, arguments: named, levels } of ALARM_RULES)
      for (const { details } of levels)
        for (const [, argument = ''] of details.matchAll(/\{(\w+)\}/g))
          assert.match(
            named[argument]?.key ?? '',
            /Percent$|Count$|C$|^lostReadings$/,
            `${name}: ${argument}`,
          );
  });

  it('write placeholders as ThingsBoard expects them', () => {
    const details = rules
      .flatMap(objectsIn)
      .flatMap((each) => ('alarmDetails' in each ? [textOf(each, 'alarmDetails')] : []));
    assert.ok(details.some((text) => /^The root file system is \$\{used\} % full\./.test(text)));
    assert.ok(details.every((text) => !/(^|[^$])\{/.test(text)));
  });

  it('severities rise with the value', () => {
    for (const rule of rules) {
      const levels = Object.keys(objectOf(objectOf(rule, 'configuration'), 'createRules'));
      const order = ['CRITICAL', 'MAJOR', 'MINOR', 'WARNING'];
      assert.deepEqual(
        levels,
        [...levels].sort((one, other) => order.indexOf(one) - order.indexOf(other)),
      );
    }
  });
});
