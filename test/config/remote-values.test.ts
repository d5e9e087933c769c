/** The server's values as a source of the configuration: they take precedence, and a bad one is refused alone. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadedConfig, LoadRequest } from '../../src/config/load.ts';
import { ConfigFixture, SERVER } from './config-fixture.ts';

type Values = Readonly<Record<string, string>>;

function load(toml: string, values: Values, rest: Partial<LoadRequest> = {}, isEncryptedOnly = false) {
  using fixture = new ConfigFixture();
  const remote = {
    values: Object.entries(values).map(([key, text]) => ({ key, text })),
    isEncryptedOnly,
  };
  return fixture.load(toml, { ...rest, remote });
}

function refusals({ remote }: LoadedConfig): readonly string[] {
  return remote.refused.map(({ problem }) => problem.sentence.replace(/; allowed: .*/, ''));
}

const urls = ({ config }: LoadedConfig) => config.server.endpoints.map(({ url }) => url);

describe('loadConfig with values of the server', () => {
  it('a value takes precedence over files and variables, and names its source', () => {
    const loaded = load(
      `${SERVER}[telemetry]\ninterval = "20s"\n`,
      { 'telemetry.interval': '30s', 'sensors.profile': 'full' },
      { environment: { FIRSTLIGHT_SENSORS_PROFILE: 'minimal' } },
    );
    assert.equal(loaded.config.telemetry.intervalMs, 30_000);
    assert.equal(loaded.config.sensors.selection.profile, 'full');
    assert.equal(loaded.sources['telemetry.interval'], 'shared attribute telemetryInterval');
    assert.equal(loaded.values['telemetry.interval'], '"30s"');
    assert.deepEqual(refusals(loaded), []);
  });

  it('an invalid value is refused alone, and the local one counts', () => {
    const loaded = load(`${SERVER}[telemetry]\ninterval = "20s"\n`, {
      'telemetry.interval': '30',
      'log.level': 'debug',
    });
    assert.equal(loaded.config.telemetry.intervalMs, 20_000);
    assert.equal(loaded.config.log.level, 'debug');
    assert.deepEqual(refusals(loaded), [
      'shared attribute telemetryInterval: telemetry.interval = "30" is not a duration',
    ]);
  });

  it('of two values of a key, the earlier one counts if the later one is refused', () => {
    using fixture = new ConfigFixture();
    const values = ['cpu=2m', 'nosuchsensor=2m'].map((text) => ({ key: 'sensors.interval', text }));
    const loaded = fixture.load(SERVER, { remote: { values } });
    assert.deepEqual([...loaded.config.sensors.everyMs], [['cpu', 120_000]]);
    assert.deepEqual(
      loaded.remote.refused.map(({ text }) => text),
      ['nosuchsensor=2m'],
    );
  });

  it('a value that is invalid only with the local configuration is refused alone', () => {
    const custom = `${SERVER}[[sensor.file]]\nname = "tankLevel"\npath = "/tmp/tank"\n`;
    const loaded = load(custom, {
      'sensors.rename': 'load1=tankLevel',
      'sensors.interval': 'tank=5m',
      'sensors.profile': 'minimal',
    });
    assert.equal(loaded.config.sensors.selection.profile, 'minimal');
    assert.deepEqual([loaded.config.sensors.rename.size, loaded.config.sensors.everyMs.size], [0, 0]);
    assert.equal(refusals(loaded).length, 2);
  });

  it('invalid local settings stay an error, whatever the server has set', () => {
    assert.throws(() => load(`${SERVER}[telemetry]\ninterval = "x"\n`, { 'telemetry.interval': '30s' }), {
      name: 'ConfigError',
    });
  });

  it('the server cannot set what the table does not allow', () => {
    const loaded = load(SERVER, {
      'device.name': 'evil',
      'server.proxy': 'http://evil',
      'remote.settings': 'off',
    });
    assert.deepEqual([loaded.config.device, loaded.config.remote.settings], [{}, true]);
    assert.equal(loaded.sources['server.proxy'], undefined);
  });

  it('with remote.settings = "off" no value counts', () => {
    const loaded = load(`${SERVER}[remote]\nsettings = "off"\n`, { 'telemetry.interval': '30s' });
    assert.equal(loaded.config.telemetry.intervalMs, 10_000);
  });

  it('reports the effective text of every setting that may be remote', () => {
    const loaded = load('[server]\nurl = ["coap://a.example", "https://a.example"]\n', {
      'telemetry.interval': '30s',
    });
    assert.equal(loaded.remote.effective.get('telemetryInterval'), '30s');
    assert.equal(loaded.remote.effective.get('serverUrl'), 'coap://a.example, https://a.example');
    assert.equal(loaded.remote.effective.get('sensorsProfile'), 'default');
    assert.equal(loaded.remote.effective.has('deviceName'), false);
  });
});

describe('server.url by the server', () => {
  const https = '[server]\nurl = "https://a.example"\n';
  const mixed = '[server]\nurl = ["https://a.example", "coap://a.example"]\n';
  const pin = 'pin-sha256 = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="\n';

  it('replaces the list, and the local list stays known', () => {
    const loaded = load(SERVER, { 'server.url': 'https://new.example' });
    assert.deepEqual(urls(loaded), ['https://new.example']);
    assert.deepEqual(
      loaded.localEndpoints.map(({ url }) => url),
      ['coap://thingsboard.example.com'],
    );
  });

  const cases: readonly [string, string, string, boolean, boolean][] = [
    ['an encrypted list by an encrypted one', https, 'https://b.example', false, true],
    ['an encrypted list by an unencrypted one', https, 'coap://b.example', false, false],
    ['an encrypted list by a mixed one', https, 'https://b.example, coap://b.example', false, false],
    ['a mixed list by an unencrypted one', mixed, 'coap://b.example', false, true],
    ['an encrypted list in use by a mixed one', mixed, 'https://b.example, coap://b.example', true, false],
    ['a pinned mixed list by an encrypted one', mixed + pin, 'https://b.example', false, true],
    ['a pinned mixed list by a mixed one', mixed + pin, 'https://b.example, http://b.example', false, false],
  ];
  for (const [title, toml, url, isEncryptedOnly, isAllowed] of cases) {
    it(`${isAllowed ? 'replaces' : 'does not replace'} ${title}`, () => {
      const loaded = load(toml, { 'server.url': url }, {}, isEncryptedOnly);
      assert.equal(urls(loaded).join(', ') === url, isAllowed);
      assert.equal(refusals(loaded).length, isAllowed ? 0 : 1);
      if (!isAllowed)
        assert.match(refusals(loaded)[0] ?? '', /^shared attribute serverUrl: .*unencrypted URL/);
    });
  }

  it('gets the pins, proxies and certificates of the gateway', () => {
    const proxied = `${https}${pin}proxy = "http://proxy.example:3128"\n`;
    const loaded = load(proxied, { 'server.url': 'https://b.example' });
    assert.equal(loaded.config.server.tls.pins.length, 1);
    assert.equal(loaded.config.server.endpoints[0].proxy?.host, 'proxy.example');
  });
});
