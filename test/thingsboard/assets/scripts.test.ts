/** The functions that ThingsBoard runs in the browser: what an operator reads, and that no text of a device becomes HTML. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AGO_CELL,
  commandAction,
  latestValuesCard,
  resetSettingsAction,
  STATE_CARD,
  STATE_CELL,
  settingsCard,
  UPDATE_CARD,
} from '../../../src/thingsboard/assets/dashboards/scripts.ts';
import { keys, runScript } from './assets-fixture.ts';

const HEALTHY = {
  entityName: 'gw-1',
  active: 'true',
  cpuTemperatureC: 48.3,
  diskRootUsedPercent: 31,
  diskRootReadOnly: 'false',
  memoryUsedPercent: 22,
  clockSynchronised: 'true',
  piUnderVoltage: 'false',
  failedUnitCount: 0,
  oomKillCount: 0,
  sw_state: 'UPDATED',
};
const ATTACK = '<img src=x onerror="alert(1)">';

const cell = (entity: object, value: unknown): unknown =>
  runScript(STATE_CELL, ['value', 'entity', 'ctx'], [value, entity, {}]);
const card = (code: string, values: object): string =>
  String(runScript(code, ['data', 'ctx'], [[values], {}]));

describe('the state in the table', () => {
  it('is online, or offline whatever the last values were', () => {
    assert.match(String(cell(HEALTHY, 'true')), />online</);
    assert.match(String(cell(HEALTHY, true)), />online</);
    assert.match(String(cell({ ...HEALTHY, diskRootUsedPercent: 99 }, 'false')), />offline</);
    assert.match(String(cell({}, undefined)), />offline</);
  });

  it('names each problem of a gateway that is online', () => {
    const problems: readonly (readonly [object, string])[] = [
      [{ diskRootUsedPercent: 96.5 }, 'disk 96.5 % full'],
      [{ diskRootReadOnly: 'true' }, 'disk read-only'],
      [{ memoryUsedPercent: 95 }, 'memory 95 % full'],
      [{ clockSynchronised: false }, 'clock not synchronised'],
      [{ piUnderVoltage: true }, 'under-voltage'],
      [{ cpuTemperatureC: 88 }, 'CPU 88 °C'],
      [{ failedUnitCount: 2 }, '2 failed units'],
      [{ oomKillCount: 1 }, '1 out-of-memory kills'],
      [{ driveMmcblk1LifeUsedPercent: 90 }, 'flash worn'],
      [{ driveMmcblk0SpareState: 'warning' }, 'flash worn'],
      [{ sw_state: 'FAILED' }, 'update failed'],
    ];
    for (const [values, words] of problems)
      assert.match(String(cell({ ...HEALTHY, ...values }, 'true')), new RegExp(`online: ${words}<`));
    assert.match(
      String(cell({ ...HEALTHY, failedUnitCount: 1, memoryUsedPercent: 99 }, 'true')),
      /memory 99 % full, 1 failed units/,
    );
  });

  it('shows no text of the device as HTML', () => {
    for (const key of Object.keys(HEALTHY))
      assert.ok(!String(cell({ ...HEALTHY, [key]: ATTACK }, 'true')).includes('<img'), key);
  });
});

describe('the time in the table', () => {
  const ago = (ms: number): unknown =>
    runScript(AGO_CELL, ['value', 'entity', 'ctx'], [Date.now() - ms, {}, {}]);

  it('is in seconds, minutes, hours or days', () => {
    assert.deepEqual([40_000, 300_000, 3 * 3_600_000, 3 * 86_400_000].map(ago), [
      '40 s ago',
      '5 min ago',
      '3 h ago',
      '3 d ago',
    ]);
    assert.equal(runScript(AGO_CELL, ['value', 'entity', 'ctx'], ['', {}, {}]), 'never');
  });
});

describe('the state card', () => {
  it('says in words how the gateway is', () => {
    const values = {
      ...HEALTHY,
      lastActivityTime: Date.now() - 12_000,
      uptimeS: 7200,
      hardwareModel: 'Raspberry Pi 4',
    };
    const text = card(STATE_CARD, values);
    assert.match(text, /Online and healthy/);
    assert.match(text, /<b>gw-1<\/b>, Raspberry Pi 4/);
    assert.match(text, /Last message: 1[2-3] s ago\./);
    assert.match(text, /Started 2 h ago\./);
  });

  it('says what needs attention, and what was lost', () => {
    const values = {
      ...HEALTHY,
      cpuTemperatureC: 80,
      lostReadings: 7,
      'lostReadings|ts': Date.now() - 600_000,
      lostWhy: 'spool full',
    };
    const text = card(STATE_CARD, values);
    assert.match(text, /Online, needs attention/);
    assert.match(text, /Now: CPU 80 °C\./);
    assert.match(text, /Last loss: 7 readings, 10 min ago \(spool full\)\./);
    assert.match(card(STATE_CARD, { ...values, active: 'false' }), /Offline/);
    assert.equal(card(STATE_CARD, {}), 'Choose a gateway.');
  });

  it('shows no text of the device as HTML or as a pattern', () => {
    for (const key of ['entityName', 'hardwareModel', 'lostWhy'])
      assert.ok(
        !card(STATE_CARD, { ...HEALTHY, lostReadings: 1, [key]: `${ATTACK}$` }).match(/<img|\$/),
        key,
      );
  });
});

describe('the cards of one gateway', () => {
  it('the latest values show what the gateway reports, with units, and nothing else', () => {
    const code = latestValuesCard(['cpuUsePercent', 'netEth0RxBytesPerS', 'netEth0Up', 'load1'], keys);
    const text = card(code, { cpuUsePercent: 7.5, netEth0RxBytesPerS: 1_234_567, netEth0Up: 'true' });
    assert.match(text, /cpuUsePercent<\/td><td[^>]*>7\.5 %</);
    assert.match(text, />1\.2 MB\/s</);
    assert.match(text, />true</);
    assert.ok(!text.includes('load1'));
    assert.ok(!card(code, { netEth0Up: ATTACK }).includes('<img'));
    assert.equal(card(code, {}), 'Nothing reported.');
  });

  it('the settings show desired beside applied, and what differs', () => {
    const code = settingsCard(['telemetryInterval', 'sensorsProfile']);
    const applied = JSON.stringify({ telemetryInterval: '10s', sensorsProfile: 'full' });
    const text = card(code, {
      telemetryInterval: '30s',
      sensorsProfile: 'full',
      configApplied: applied,
      configProblems: 'none',
    });
    assert.match(
      text,
      /<tr style="color: [^"]+"><td>telemetryInterval<\/td><td>30s<\/td><td>10s<\/td><\/tr>/,
    );
    assert.match(text, /<tr><td>sensorsProfile<\/td><td>full<\/td><td>full<\/td><\/tr>/);
    assert.match(
      card(code, { configApplied: applied, configProblems: 'telemetryInterval is below 1s' }),
      /^<p [^>]+>telemetryInterval is below 1s/,
    );
    assert.match(card(code, { configApplied: 'no json' }), /<td>–<\/td><td>–<\/td>/);
    assert.ok(!card(code, { telemetryInterval: ATTACK, configProblems: ATTACK }).includes('<img'));
  });

  it('the software card shows the versions and the state of an update', () => {
    const text = card(UPDATE_CARD, { agentVersion: 'v1.2.0', sw_state: 'FAILED', sw_error: ATTACK });
    assert.match(text, /<b>Agent<\/b> v1\.2\.0/);
    assert.match(text, /<b>State<\/b> FAILED/);
    assert.ok(!text.includes('<img'));
  });
});

describe('the buttons', () => {
  const NAMES = ['$event', 'widgetContext', 'entityId', 'entityName'];

  it('send a command and show its answer as text', () => {
    const { context, shown, sent } = fakeContext({ ok: `${ATTACK}` });
    runScript(commandAction('status'), NAMES, [{}, context, { id: 'device-id' }, 'gw-1']);
    assert.deepEqual(sent, [['device-id', { method: 'status', params: {}, timeout: 15000 }]]);
    assert.equal(shown[0]?.[0], 'status of gw-1');
    assert.match(String(shown[0]?.[1]), /&#60;img/);
    assert.ok(!String(shown[0]?.[1]).includes('<img'));
  });

  it('say that a gateway does not answer, and that none is chosen', () => {
    const { context, shown } = fakeContext(undefined, { status: 504 });
    runScript(commandAction('ping'), NAMES, [{}, context, { id: 'device-id' }, 'gw-1']);
    runScript(commandAction('ping'), NAMES, [{}, context, null, '']);
    assert.match(String(shown[0]?.[1]), /does not answer/);
    assert.equal(shown[1]?.[1], 'Choose a gateway first.');
  });

  it('delete the shared attributes only after a confirmation', () => {
    for (const isConfirmed of [true, false]) {
      const { context, deleted } = fakeContext(undefined, undefined, isConfirmed);
      runScript(resetSettingsAction(['telemetryInterval']), NAMES, [
        {},
        context,
        { id: 'device-id' },
        'gw-1',
      ]);
      assert.deepEqual(
        deleted,
        isConfirmed ? [[{ id: 'device-id' }, 'SHARED_SCOPE', [{ key: 'telemetryInterval' }]]] : [],
      );
    }
  });
});

/** The services of ThingsBoard's widget API that the buttons use. */
function fakeContext(answer: unknown, error?: object, isConfirmed = false) {
  const shown: unknown[][] = [];
  const sent: unknown[][] = [];
  const deleted: unknown[][] = [];
  const observable = (value: unknown, failure?: object) => ({
    subscribe: (next?: (value: unknown) => void, failed?: (failure: object) => void) =>
      failure ? failed?.(failure) : next?.(value),
  });
  const record =
    (calls: unknown[][], value: unknown, failure?: object) =>
    (...values: unknown[]) => {
      calls.push(values);
      return observable(value, failure);
    };
  const services: Readonly<Record<string, object>> = {
    dialogs: { alert: record(shown, true), confirm: () => observable(isConfirmed) },
    deviceService: { sendTwoWayRpcCommand: record(sent, answer, error) },
    attributeService: { deleteEntityAttributes: record(deleted, undefined) },
  };
  const context = {
    $scope: { $injector: { get: (name: string) => services[name] } },
    servicesMap: { get: (name: string) => name },
    updateAliases: () => {},
  };
  return { context, shown, sent, deleted };
}
