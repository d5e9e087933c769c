/** Settings of the server from attribute to file: applied, confirmed, taken back, restarted, reported. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { LOCAL, RemoteFixture } from './remote-settings-fixture.ts';

const intervalOf = ({ current }: RemoteFixture) => current.config.telemetry.intervalMs;
const problemsOf = ({ remote }: RemoteFixture) => String(remote.report.values['configProblems']);
const appliedOf = ({ remote }: RemoteFixture) =>
  JSON.parse(String(remote.report.values['configApplied'])) as Record<string, string>;

describe('a change of a shared attribute', () => {
  it('restarts the loops once, and is stored when telemetry is accepted', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s', fw_title: 'x' });
    assert.deepEqual([intervalOf(gateway), gateway.started.length], [30_000, 2]);
    assert.equal(gateway.file, undefined);
    await gateway.accept();
    assert.deepEqual(gateway.storedTexts, { 'telemetry.interval': '30s' });
    assert.equal(statSync(gateway.path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(gateway.state), ['remote-settings.json']);
    assert.deepEqual(gateway.events(), ['FL-REMOTE-SETTINGS-APPLIED', 'FL-REMOTE-SETTINGS-CONFIRMED']);
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.minutes(60);
    assert.equal(gateway.started.length, 2);
  });

  it('outlives a restart without the server', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.accept();
    const { mtimeMs } = statSync(gateway.path);
    await gateway.powerCut();
    await gateway.minutes(60);
    assert.deepEqual([intervalOf(gateway), gateway.started.length], [30_000, 1]);
    assert.equal(statSync(gateway.path).mtimeMs, mtimeMs);
  });

  it('that stops telemetry is taken back after five minutes, said, and not tried again', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ sensorsOff: '*', telemetryInterval: '30s' });
    await gateway.minutes(4.9);
    assert.equal(intervalOf(gateway), 30_000);
    await gateway.minutes(0.2);
    assert.deepEqual([intervalOf(gateway), gateway.started.length], [20_000, 3]);
    assert.deepEqual(gateway.file?.['rejected'], { 'telemetry.interval': '30s', 'sensors.off': '*' });
    assert.equal(gateway.events().at(-1), 'FL-REMOTE-SETTINGS-REVERTED');
    assert.match(
      problemsOf(gateway),
      /sensors\.off = "\*" was taken back, because the server accepted no telemetry/,
    );
    assert.equal(appliedOf(gateway)['telemetryInterval'], '20s');
    for (const restart of [false, true]) {
      if (restart) await gateway.powerCut();
      await gateway.accept();
      await gateway.all({ sensorsOff: '*', telemetryInterval: '30s' });
      await gateway.minutes(1);
      assert.equal(intervalOf(gateway), 20_000, `restart ${restart}`);
      assert.match(problemsOf(gateway), /was taken back/);
    }
    await gateway.changed({ telemetryInterval: '30s' });
    await gateway.accept();
    assert.deepEqual(gateway.storedTexts, { 'telemetry.interval': '30s' });
    assert.deepEqual(gateway.file?.['rejected'], { 'sensors.off': '*' });
  });

  it('is confirmed only by a reading that was taken after it', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    const beforeMs = Math.round(gateway.clock.bootMs());
    await gateway.clock.advance(1000);
    await gateway.all({ telemetryInterval: '30s' });
    gateway.remote.onTelemetryAccepted(beforeMs);
    await gateway.settle();
    assert.equal(gateway.file, undefined);
  });

  it('ends in the old values if the power fails during its trial, and is tried again', async () => {
    await using gateway = await RemoteFixture.open();
    for (const cut of [1, 2, 3]) {
      await gateway.accept();
      await gateway.all({ telemetryInterval: '30s' });
      assert.equal(intervalOf(gateway), 30_000);
      await gateway.minutes(4);
      await gateway.powerCut();
      assert.deepEqual([intervalOf(gateway), gateway.file], [20_000, undefined], `cut ${cut}`);
    }
  });

  it('of the log applies at once, without a restart of the loops and without a trial', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.all({ logLevel: 'debug' });
    assert.deepEqual([gateway.log.levels, gateway.started.length], [['debug'], 1]);
    assert.deepEqual(gateway.storedTexts, { 'log.level': 'debug' });
  });

  it('to the local value is stored without a restart', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.all({ telemetryInterval: '20s' });
    assert.deepEqual([gateway.storedTexts, gateway.started.length], [{ 'telemetry.interval': '20s' }, 1]);
  });

  it('back to the local value by deletion is on trial too', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.accept();
    await gateway.minutes(1);
    await gateway.deleted('telemetryInterval');
    assert.equal(intervalOf(gateway), 20_000);
    await gateway.minutes(6);
    assert.equal(intervalOf(gateway), 30_000);
    assert.match(problemsOf(gateway), /telemetryInterval: its deletion was taken back/);
    await gateway.accept();
    await gateway.deleted('telemetryInterval');
    await gateway.accept();
    assert.deepEqual([intervalOf(gateway), gateway.storedTexts], [20_000, {}]);
  });

  it('waits until the access token is stored', async () => {
    await using gateway = await RemoteFixture.open();
    gateway.remote.setTokenStored(false);
    await gateway.all({ telemetryInterval: '30s' });
    assert.equal(intervalOf(gateway), 20_000);
    gateway.remote.setTokenStored(true);
    await gateway.settle();
    assert.equal(intervalOf(gateway), 30_000);
  });

  it('that cannot work on this host is taken back at once', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    assert.ok(gateway.failStart());
    await gateway.accept();
    assert.deepEqual([intervalOf(gateway), gateway.storedTexts], [20_000, {}]);
    assert.deepEqual(gateway.file?.['rejected'], { 'telemetry.interval': '30s' });
  });
});

describe('an invalid shared attribute', () => {
  it('is refused alone, said once and reported until it is corrected', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    for (let registration = 0; registration < 3; registration += 1)
      await gateway.all({ telemetryInterval: 30, logLevel: 'debug' });
    assert.deepEqual(gateway.storedTexts, { 'log.level': 'debug' });
    assert.equal(gateway.events().filter((event) => event === 'FL-REMOTE-SETTING-REFUSED').length, 1);
    assert.match(
      problemsOf(gateway),
      /^shared attribute telemetryInterval: .* "30" is not a duration; .*"10s"$/,
    );
    await gateway.all({ logLevel: 'debug' });
    assert.equal(problemsOf(gateway), 'none');
  });

  it('keeps the value before it', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.accept();
    await gateway.changed({ telemetryInterval: 'soon' });
    await gateway.powerCut();
    await gateway.all({ telemetryInterval: 'soon' });
    assert.equal(intervalOf(gateway), 30_000);
  });

  it('that does not fit the local configuration is refused alone, without a restart', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    const attributes = { sensorsInterval: 'tank=5m', telemetryDrainRate: 20 };
    await gateway.all(attributes);
    assert.deepEqual([gateway.current.config.telemetry.drainPerS, gateway.started.length], [20, 2]);
    assert.match(problemsOf(gateway), /names tank, but no sensor has that name/);
    await gateway.accept();
    const { loads } = gateway;
    for (let registration = 0; registration < 5; registration += 1) await gateway.all(attributes);
    await gateway.minutes(60);
    assert.equal(gateway.loads, loads, 'it is not tried again and again');
    assert.deepEqual(gateway.storedTexts, { 'telemetry.drain-rate': '20' });
    assert.match(problemsOf(gateway), /names tank/);
  });

  it('is not tried again and again beside another one', async () => {
    await using gateway = await RemoteFixture.open('[server]\nurl = "https://local.example"\n');
    await gateway.accept();
    await gateway.all({ sensorsInterval: 'tank=5m', serverUrl: 'coap://new.example' });
    await gateway.minutes(1);
    const { loads } = gateway;
    await gateway.minutes(24 * 60);
    assert.equal(gateway.loads, loads);
    assert.match(problemsOf(gateway), /names tank.* \| .*unencrypted URL/);
  });

  it('cannot make an invalid configuration of the gateway worse', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    gateway.write(`${LOCAL}[log]\nlevel = "loud"\n`);
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.minutes(10);
    assert.deepEqual([intervalOf(gateway), gateway.started.length], [20_000, 1]);
    assert.equal(gateway.events('FL-CONFIG-RELOAD-REJECTED').length, 1);
    gateway.write(LOCAL);
    await gateway.sighup();
    assert.equal(intervalOf(gateway), 30_000);
  });

  it('is taken back even if the configuration of the gateway is invalid by then', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://dead.example' });
    gateway.write('[server]\nurl = 7\n');
    await gateway.minutes(6);
    assert.deepEqual(
      gateway.current.config.server.endpoints.map(({ url }) => url),
      ['coap://local.example'],
    );
  });
});

describe('server.url by the server', () => {
  const urls = ({ current }: RemoteFixture) => current.config.server.endpoints.map(({ url }) => url);

  it('is on trial until telemetry is accepted; then the credentials are bound', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example', telemetryInterval: '30s' });
    assert.deepEqual([urls(gateway), gateway.remote.isServerOnTrial], [['coap://local.example'], false]);
    await gateway.accept();
    await gateway.minutes(1);
    assert.deepEqual([urls(gateway), gateway.remote.isServerOnTrial], [['coap://new.example'], true]);
    assert.deepEqual(gateway.bound, []);
    await gateway.accept();
    assert.equal(gateway.remote.isServerOnTrial, false);
    // Bound while the file still has only the interval.
    assert.deepEqual(gateway.bound, [['coap://new.example'], ['30s']]);
    assert.equal(gateway.storedTexts['server.url'], 'coap://new.example');
    await gateway.powerCut();
    assert.deepEqual(urls(gateway), ['coap://new.example']);
  });

  it('is taken back also while a disk that hangs stores an earlier change', async () => {
    await using gateway = await RemoteFixture.open();
    gateway.isDiskHanging = true;
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example' });
    await gateway.accept();
    await gateway.minutes(1);
    await gateway.changed({ serverUrl: 'coap://dead.example' });
    assert.deepEqual(urls(gateway), ['coap://dead.example']);
    await gateway.minutes(6);
    assert.deepEqual(urls(gateway), ['coap://new.example']);
  });

  it('that never works is tried once, also by a gateway that restarts every day', async () => {
    await using gateway = await RemoteFixture.open();
    for (let day = 0; day < 5; day += 1) {
      await gateway.powerCut();
      await gateway.accept();
      await gateway.all({ serverUrl: 'coap://dead.example' });
      await gateway.minutes(6);
      assert.deepEqual(urls(gateway), ['coap://local.example'], `day ${day}`);
      await gateway.accept();
      await gateway.minutes(24 * 60);
    }
    assert.equal(gateway.events().filter((event) => event === 'FL-REMOTE-SETTINGS-APPLIED').length, 1);
  });

  it('gives way to server.url of the gateway when that changes', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example' });
    await gateway.accept();
    gateway.write(LOCAL.replace('local', 'rescue'));
    await gateway.sighup();
    assert.deepEqual([urls(gateway), gateway.storedTexts], [['coap://rescue.example'], {}]);
    assert.equal(gateway.events().at(-1), 'FL-REMOTE-SERVER-URL-DROPPED');
    await gateway.minutes(60);
    assert.deepEqual(urls(gateway), ['coap://rescue.example']);
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example' });
    assert.deepEqual(urls(gateway), ['coap://new.example'], 'the server wants it still');
  });

  it('gives way at a start to server.url of the gateway that has changed', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example' });
    await gateway.accept();
    await gateway.stop();
    gateway.write(LOCAL.replace('local', 'rescue'));
    await gateway.start();
    assert.deepEqual([urls(gateway), gateway.storedTexts], [['coap://rescue.example'], {}]);
    assert.equal(gateway.events().at(-1), 'FL-REMOTE-SERVER-URL-DROPPED');
  });

  it('on trial ends when server.url of the gateway changes', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://dead.example' });
    gateway.write(LOCAL.replace('local', 'rescue'));
    await gateway.sighup();
    assert.deepEqual([urls(gateway), gateway.remote.isOnTrial], [['coap://rescue.example'], false]);
  });

  it('returns from an encrypted trial to an unencrypted list that was confirmed', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'coap://new.example' });
    await gateway.accept();
    await gateway.minutes(1);
    await gateway.changed({ serverUrl: 'https://dead.example' });
    assert.deepEqual(urls(gateway), ['https://dead.example']);
    await gateway.minutes(6);
    assert.deepEqual(urls(gateway), ['coap://new.example']);
  });

  it('is refused if the list in use is encrypted and the new one is not', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ serverUrl: 'https://new.example' });
    await gateway.accept();
    await gateway.minutes(1);
    await gateway.changed({ serverUrl: 'coap://new.example' });
    assert.deepEqual(urls(gateway), ['https://new.example']);
    assert.match(problemsOf(gateway), /contains an unencrypted URL, but every URL in use is encrypted/);
    await gateway.powerCut();
    assert.deepEqual(urls(gateway), ['https://new.example']);
  });
});

describe('the file with the settings of the server', () => {
  it('is set aside if it is damaged, and local values count', async () => {
    await using gateway = await RemoteFixture.open();
    for (const content of ['', '{"version":1', '[]', '{"version":1,"values":7}']) {
      await gateway.stop();
      gateway.putFile(content);
      await gateway.start();
      assert.equal(intervalOf(gateway), 20_000);
      assert.equal(gateway.events().at(-1), 'FL-REMOTE-SETTINGS-DAMAGED', content);
      assert.deepEqual(readdirSync(gateway.state), ['remote-settings.json.damaged']);
    }
  });

  for (const [what, content] of [
    ['of a newer version', '{"version":2,"values":"new"}'],
    [
      'of another board',
      '{"version":1,"board":["serial:0000000000000009"],"values":{"log.level":{"text":"error","sinceMs":1}}}',
    ],
  ] as const) {
    it(`${what} is ignored and unchanged until there is something to store`, async () => {
      await using gateway = await RemoteFixture.open();
      await gateway.stop();
      gateway.putFile(content);
      await gateway.start();
      assert.equal(gateway.current.config.log.level, 'info');
      assert.equal(gateway.events().at(-1), 'FL-REMOTE-SETTINGS-IGNORED');
      assert.deepEqual(gateway.file, JSON.parse(content));
      await gateway.all({ logLevel: 'warn' });
      assert.deepEqual(gateway.storedTexts, { 'log.level': 'warn' });
    });
  }

  it('with a value that no longer fits keeps the others, and the problem is reported', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.stop();
    const values = {
      'sensors.interval': { text: 'gone=5m', sinceMs: 1 },
      'telemetry.interval': { text: '30s', sinceMs: 1 },
      'no.such-setting': { text: 'x', sinceMs: 1 },
    };
    gateway.putFile(JSON.stringify({ version: 1, values }));
    await gateway.start();
    assert.equal(intervalOf(gateway), 30_000);
    assert.match(problemsOf(gateway), /^shared attribute sensorsInterval: .*names gone/);
  });

  it('that cannot be written is said once, and written later', async () => {
    await using gateway = await RemoteFixture.open();
    mkdirSync(gateway.path);
    await gateway.all({ logLevel: 'warn' });
    await gateway.changed({ logLevel: 'error' });
    assert.equal(gateway.events().filter((event) => event === 'FL-REMOTE-SETTINGS-WRITE-FAILED').length, 1);
    rmdirSync(gateway.path);
    await gateway.minutes(11);
    assert.deepEqual(gateway.storedTexts, { 'log.level': 'error' });
    assert.equal(gateway.events().at(-1), 'FL-REMOTE-SETTINGS-WRITE-RESTORED');
  });

  it('is not written by a hostile server more often than changes are tried', async () => {
    await using gateway = await RemoteFixture.open();
    const before = gateway.loads;
    for (let round = 0; round < 20_000; round += 1)
      gateway.remote.onAttributes({
        is: 'changed',
        values: { logLevel: round % 2 ? 'warn' : 'error', x: round },
      });
    for (let minute = 0; minute < 60; minute += 1) {
      await gateway.clock.advance(60_000);
      gateway.remote.onAttributes({ is: 'changed', values: { logLevel: minute % 2 ? 'warn' : 'error' } });
    }
    await gateway.settle();
    assert.ok(gateway.loads - before <= 11, String(gateway.loads - before));
  });
});

describe('remote.settings = "off"', () => {
  it('ignores attributes and stored values, and says so', async () => {
    await using gateway = await RemoteFixture.open();
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    await gateway.accept();
    gateway.write(`${LOCAL}[remote]\nsettings = "off"\n`);
    await gateway.sighup();
    assert.equal(intervalOf(gateway), 20_000);
    await gateway.all({ telemetryInterval: '40s' });
    await gateway.minutes(10);
    assert.equal(intervalOf(gateway), 20_000);
    assert.match(problemsOf(gateway), /remote\.settings is "off"/);
    gateway.write(LOCAL);
    await gateway.sighup();
    assert.equal(intervalOf(gateway), 30_000);
  });
});

describe('the report', () => {
  it('changes only with what counts and what is wrong', async () => {
    await using gateway = await RemoteFixture.open();
    assert.equal(appliedOf(gateway)['telemetryInterval'], '20s');
    assert.equal(problemsOf(gateway), 'none');
    await gateway.accept();
    await gateway.all({ telemetryInterval: '30s' });
    assert.equal(appliedOf(gateway)['telemetryInterval'], '30s');
    await gateway.accept();
    assert.equal(gateway.reports, 1);
    await gateway.all({ telemetryInterval: '30s', telemetryIntervl: '1s' });
    assert.equal(gateway.reports, 2);
    assert.match(problemsOf(gateway), /did you mean telemetryInterval/);
  });
});
