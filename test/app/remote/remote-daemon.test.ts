/** The whole daemon with settings of the server: no reading is lost, nothing is provisioned again, a power cut strands nothing. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { openSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { readingTimes } from '../../reading-times.ts';
import { until } from '../../until.ts';
import { DaemonGateway, line, PROVISIONING, readingGaps, setServerUrl } from './remote-daemon-harness.ts';

const provisionings = (sandbox: Sandbox) =>
  Object.entries(sandbox.stats().requests)
    .filter(([name]) => name.startsWith('provision'))
    .reduce((sum, [, count]) => sum + count, 0);

const clientOf = (sandbox: Sandbox) => JSON.stringify(sandbox.devices()[0]);

it('a change of interval and outbox loses no reading and is reported', {
  timeout: 60_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning: PROVISIONING });
  await using gateway = await DaemonGateway.create({ server: `coap://127.0.0.1:${sandbox.coapPort}` });
  const daemon = await gateway.run();
  await line(daemon, 'client attributes accepted', 2);
  assert.ok(clientOf(sandbox).includes('\\"telemetryInterval\\":\\"10s\\"'), clientOf(sandbox));
  const wanted = { telemetryInterval: '2s', outboxSpoolAfter: '30s', nonsense: 1 };
  sandbox.core.admin.setSharedAttributes(sandbox.devices()[0]?.name ?? '', JSON.stringify(wanted));
  await line(daemon, 'event=FL-REMOTE-SETTINGS-CONFIRMED');
  await until(
    () => clientOf(sandbox).includes('\\"telemetryInterval\\":\\"2s\\"'),
    () => clientOf(sandbox),
  );
  await until(
    () => readingTimes(sandbox.points()).length > 12,
    () => 'too few readings',
  );
  await daemon.stop();
  const gaps = readingGaps(sandbox);
  // A second of the host is ten here: a busy one takes some readings late.
  assert.ok(Math.max(...gaps) < 30_000, gaps.join());
  assert.ok(gaps.filter((gap) => gap > 1000 && gap < 7500).length >= 3, gaps.join());
  assert.ok(!daemon.lines.some((each) => each.includes('FL-READINGS-LOST')));
  assert.ok(sandbox.points().every(({ tsGiven }) => tsGiven));
  assert.equal(provisionings(sandbox), 1);
  const stored = await gateway.readJson('remote-settings.json');
  assert.deepEqual(Object.keys(stored?.['values'] ?? {}).sort(), [
    'outbox.spool-after',
    'telemetry.interval',
  ]);
});

it('no power cut on the way to another URL of the server strands the gateway', {
  timeout: 120_000,
}, async () => {
  await using sandbox = await openSandbox({ provisioning: PROVISIONING });
  const newUrl = `http://localhost:${sandbox.httpPort}`;
  await using gateway = await DaemonGateway.create({ server: `coap://127.0.0.1:${sandbox.coapPort}` });
  const cuts: DaemonGateway[] = [];
  const daemon = await gateway.run({ onBound: async () => void cuts.push(await gateway.snapshot()) });
  await line(daemon, 'first telemetry accepted');
  setServerUrl(sandbox, newUrl);
  await line(daemon, 'event=FL-REMOTE-SETTINGS-APPLIED');
  cuts.unshift(await gateway.snapshot());
  await line(daemon, 'event=FL-REMOTE-SETTINGS-CONFIRMED');
  await until(
    () => cuts.length === 2 && existsSync(join(gateway.state, 'remote-settings.json')),
    () => 'the settings were not stored',
  );
  await daemon.stop();
  cuts.push(await gateway.snapshot());
  const record = await gateway.readJson('credentials.json');
  assert.equal(record?.['server'], `coap://127.0.0.1:${sandbox.coapPort}`);
  assert.deepEqual(record?.['servers'], [newUrl]);
  for (const [index, [name, scheme]] of [
    ['on trial', 'coap'],
    ['bound', 'coap'],
    ['stored', 'http'],
  ].entries()) {
    const cut = cuts[index];
    assert.ok(cut);
    // Until the server sends it again, the attribute counts as the power cut left it.
    setServerUrl(sandbox, name === 'stored' ? newUrl : undefined);
    await using restarted = cut;
    const next = await restarted.run();
    await line(next, 'first telemetry accepted');
    const [endpoint] = next.config.current.config.server.endpoints;
    assert.equal(endpoint.scheme, scheme, name);
    assert.ok(!next.lines.some((each) => each.includes('FL-SERVER-CHANGED')), name);
    if (name === 'stored') {
      // Whoever replaces the local list by the new URL has a gateway that knows it.
      await next.stop();
      await restarted.writeConfig(newUrl);
      const moved = await restarted.run();
      await line(moved, 'first telemetry accepted');
      assert.ok(!moved.lines.some((each) => each.includes('FL-SERVER-CHANGED')));
    }
  }
  assert.equal(provisionings(sandbox), 1);
  assert.equal(sandbox.devices().length, 1);
});
