/** Loading a valid configuration, and the precedence of its sources. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const FULL = `
[server]
url = "coap://[2001:db8::7]:15683"
spread = "0s"
[provisioning]
key = "the-key"
secret = "the-secret"
credentials = "server-generated"
after-success = "forget"
[device]
name = "  gw-{serial} "
[telemetry]
interval = "24h"
report = "all"
drain-rate = "1000"
deadband = "cpuTemperatureC=0.5, load1=10"
[sensors]
profile = "full"
on = "network"
off = "load5, load15"
interval = "cpu=1m"
rename = "load1=load"
scale = "load1=100"
offset = "load1=-1"
[remote]
settings = "off"
commands = "reload"
[outbox]
spool-after = "5s"
flush-every = "1h"
spool-size = "1GiB"
free-space = "0%"
[clock]
trust = "system"
[log]
level = "debug"
format = "json"
`;

const DEFAULT_DEADBANDS = new Map([
  ['uptimeS', 300],
  ['drive*WrittenBytes', 1_000_000],
]);

describe('loadConfig', () => {
  it('completes a configuration that only has the server with the defaults', () => {
    using fixture = new ConfigFixture();
    const { config, warnings, sources } = fixture.load(SERVER);
    const url = 'coap://thingsboard.example.com';
    assert.deepEqual(config, {
      server: {
        endpoints: [{ url, scheme: 'coap', host: 'thingsboard.example.com', port: 5683 }],
        spreadMs: 2000,
        tls: { pins: [] },
      },
      device: {},
      telemetry: {
        intervalMs: 10_000,
        report: 'changes',
        sendEveryMs: 0,
        drainPerS: 10,
        deadbands: DEFAULT_DEADBANDS,
      },
      sensors: {
        selection: { profile: 'default', on: [], off: [] },
        everyMs: new Map(),
        rename: new Map(),
        scale: new Map(),
        offset: new Map(),
        custom: [],
      },
      commands: { isOff: false, enabled: [], exec: [] },
      update: { spreadMs: 3_600_000 },
      outbox: { spoolAfterMs: 60_000, flushEveryMs: 60_000, spoolBytes: 64_000_000, freeShare: 0.1 },
      clock: { trust: 'synchronised' },
      remote: { settings: true },
      log: { level: 'info', format: 'text' },
    });
    assert.deepEqual(warnings, []);
    assert.equal(sources['server.url'], `${fixture.toml}:2`);
    assert.equal(sources['log.level'], 'default');
  });

  it('reads every key of the file', () => {
    using fixture = new ConfigFixture();
    const { config } = fixture.load(FULL);
    assert.equal(config.server.endpoints[0].host, '2001:db8::7');
    assert.equal(config.server.spreadMs, 0);
    assert.equal(config.provisioning?.key, 'the-key');
    assert.equal(config.provisioning?.secret.reveal(), 'the-secret');
    assert.equal(config.provisioning?.credentials, 'server-generated');
    assert.equal(config.provisioning?.afterSuccess, 'forget');
    assert.deepEqual(config.device, { name: 'gw-{serial}' });
    const deadbands = new Map([
      ['cpuTemperatureC', 0.5],
      ['load1', 10],
    ]);
    assert.deepEqual(config.telemetry, {
      intervalMs: 86_400_000,
      report: 'all',
      sendEveryMs: 0,
      drainPerS: 1000,
      deadbands,
    });
    assert.deepEqual(config.sensors, {
      selection: { profile: 'full', on: ['network'], off: ['load5', 'load15'] },
      everyMs: new Map([['cpu', 60_000]]),
      rename: new Map([['load1', 'load']]),
      scale: new Map([['load1', 100]]),
      offset: new Map([['load1', -1]]),
      custom: [],
    });
    assert.deepEqual(config.commands, { isOff: false, enabled: ['reload'], exec: [] });
    const outbox = { spoolAfterMs: 5000, flushEveryMs: 3_600_000, spoolBytes: 2 ** 30, freeShare: 0 };
    assert.deepEqual(config.outbox, outbox);
    assert.deepEqual(config.clock, { trust: 'system' });
    assert.deepEqual(config.remote, { settings: false });
    assert.deepEqual(config.log, { level: 'debug', format: 'json' });
  });

  it('reads dotted keys, inline tables and CRLF', () => {
    using fixture = new ConfigFixture();
    const { config } = fixture.load('server.url = "coap://tb"\r\nlog = { level = "warn" }\r\n');
    assert.equal(config.server.endpoints[0].host, 'tb');
    assert.equal(config.log.level, 'warn');
  });

  it('prefers every variable over its key in the file and names it as the source', () => {
    using fixture = new ConfigFixture();
    const environment = {
      FIRSTLIGHT_SERVER_URL: 'coap://other',
      FIRSTLIGHT_SERVER_SPREAD: '1m',
      FIRSTLIGHT_PROVISIONING_KEY: 'other-key',
      FIRSTLIGHT_PROVISIONING_SECRET: 'other-secret',
      FIRSTLIGHT_PROVISIONING_CREDENTIALS: 'device-generated',
      FIRSTLIGHT_PROVISIONING_AFTER_SUCCESS: 'keep',
      FIRSTLIGHT_DEVICE_NAME: 'other-name',
      FIRSTLIGHT_TELEMETRY_INTERVAL: '1s',
      FIRSTLIGHT_TELEMETRY_REPORT: 'changes',
      FIRSTLIGHT_TELEMETRY_SEND_EVERY: '0s',
      FIRSTLIGHT_TELEMETRY_DRAIN_RATE: '1',
      FIRSTLIGHT_TELEMETRY_DEADBAND: '',
      FIRSTLIGHT_SENSORS_PROFILE: 'minimal',
      FIRSTLIGHT_SENSORS_ON: '',
      FIRSTLIGHT_SENSORS_OFF: 'cpu',
      FIRSTLIGHT_SENSORS_INTERVAL: '',
      FIRSTLIGHT_SENSORS_RENAME: '',
      FIRSTLIGHT_SENSORS_SCALE: '',
      FIRSTLIGHT_SENSORS_OFFSET: '',
      FIRSTLIGHT_REMOTE_COMMANDS: 'restart',
      FIRSTLIGHT_OUTBOX_SPOOL_AFTER: '6s',
      FIRSTLIGHT_OUTBOX_FLUSH_EVERY: '7s',
      FIRSTLIGHT_OUTBOX_SPOOL_SIZE: '1MB',
      FIRSTLIGHT_OUTBOX_FREE_SPACE: '90%',
      FIRSTLIGHT_CLOCK_TRUST: 'synchronised',
      FIRSTLIGHT_REMOTE_SETTINGS: 'on',
      FIRSTLIGHT_LOG_LEVEL: 'error',
      FIRSTLIGHT_LOG_FORMAT: 'text',
      FIRSTLIGHT_UPDATE_SPREAD: '2h',
      FIRSTLIGHT_UPDATE_WINDOW: '02:00-05:30',
    };
    const { config, sources } = fixture.load(FULL, { environment });
    assert.equal(config.server.endpoints[0].host, 'other');
    assert.equal(config.server.spreadMs, 60_000);
    assert.equal(config.provisioning?.key, 'other-key');
    assert.equal(config.provisioning?.secret.reveal(), 'other-secret');
    assert.equal(config.provisioning?.credentials, 'device-generated');
    assert.equal(config.provisioning?.afterSuccess, 'keep');
    assert.equal(config.device.name, 'other-name');
    assert.deepEqual(config.telemetry, {
      intervalMs: 1000,
      report: 'changes',
      sendEveryMs: 0,
      drainPerS: 1,
      deadbands: new Map(),
    });
    assert.deepEqual(config.sensors.selection, { profile: 'minimal', on: [], off: ['cpu'] });
    assert.equal(config.sensors.rename.size, 0);
    const outbox = { spoolAfterMs: 6000, flushEveryMs: 7000, spoolBytes: 1e6, freeShare: 0.9 };
    assert.deepEqual(config.outbox, outbox);
    assert.deepEqual(config.update, { spreadMs: 7_200_000, window: { fromMinute: 120, toMinute: 330 } });
    assert.equal(config.clock.trust, 'synchronised');
    assert.equal(config.remote.settings, true);
    assert.deepEqual(config.log, { level: 'error', format: 'text' });
    const named = Object.values(sources).sort();
    assert.deepEqual(named, Object.keys(environment).sort());
  });

  it('ignores variables of other programs and FIRSTLIGHT_CONFIG', () => {
    using fixture = new ConfigFixture();
    const environment = {
      PATH: '/bin',
      firstlight_x: 'y',
      FIRSTLIGHT_CONFIG: '/x',
      FIRSTLIGHT_LOG_LEVEL: undefined,
    };
    assert.deepEqual(fixture.problems(SERVER, { environment }), []);
  });

  it('accepts a missing default file only if the environment names the server', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_SERVER_URL: 'coap://tb' };
    assert.equal(
      fixture.load(undefined, { fileRequired: false, environment }).config.server.endpoints[0].host,
      'tb',
    );
    assert.equal(fixture.problems(undefined, { fileRequired: false }).length, 1);
    assert.equal(fixture.problems(undefined, { fileRequired: true, environment }).length, 1);
  });

  it('returns a configuration whose JSON shows no secret', () => {
    using fixture = new ConfigFixture();
    const loaded = fixture.load(FULL);
    assert.doesNotMatch(JSON.stringify(loaded), /the-secret/);
  });
});

describe('provisioning key and secret', () => {
  it('are absent if neither is set, even if credentials is', () => {
    using fixture = new ConfigFixture();
    const { config } = fixture.load(`${SERVER}[provisioning]\ncredentials = "server-generated"`);
    assert.equal(config.provisioning, undefined);
  });

  it('are a problem that names the missing one if only one is set', () => {
    using fixture = new ConfigFixture();
    const [noSecret] = fixture.problems(`${SERVER}[provisioning]\nkey = "k"`);
    assert.equal(noSecret?.key, 'provisioning.secret-file');
    const [noKey] = fixture.problems(SERVER, { environment: { FIRSTLIGHT_PROVISIONING_SECRET: 's3' } });
    assert.equal(noKey?.key, 'provisioning.key');
  });

  it('may come from two sources', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_PROVISIONING_SECRET: 's3' };
    const { config } = fixture.load(`${SERVER}[provisioning]\nkey = "k"`, { environment });
    assert.equal(config.provisioning?.key, 'k');
    assert.equal(config.provisioning?.secret.reveal(), 's3');
  });

  it('are one problem if the secret is invalid, not also a missing secret', () => {
    using fixture = new ConfigFixture();
    assert.equal(fixture.problems(`${SERVER}[provisioning]\nkey = "k"\nsecret = ""`).length, 1);
    assert.equal(
      fixture.problems(`${SERVER}[provisioning]\nkey = "k"\nsecret-file = "/nowhere/at/all"`).length,
      1,
    );
  });
});
