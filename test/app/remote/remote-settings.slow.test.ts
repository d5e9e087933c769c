/** A hostile server: random and malicious attributes neither end the agent nor fill its memory, nor set what is not theirs. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { attributeOf } from '../../../src/config/schema/setting.ts';
import { allSettings } from '../../../src/config/schema/settings.ts';
import { encodeAttributes } from '../../../src/core/delivery/encode.ts';
import type { AttributeUpdate } from '../../../src/core/ports/downlink.ts';
import { anyText } from '../../any-text.ts';
import { RemoteFixture } from './remote-settings-fixture.ts';

/** FUZZ_INPUTS chooses another number. */
const UPDATES = Number(process.env['FUZZ_INPUTS'] ?? 100_000);
/** After each, telemetry is accepted once, and a trial that begins then fails. */
const BLOCKS = 400;
const HEAP_BYTES_MAX = 8 * 1024 * 1024;

const name = fc.oneof(
  fc.constantFrom(...allSettings.map(attributeOf), '__proto__', 'constructor', 'toString', 'deleted'),
  fc.constantFrom(...allSettings.map(({ key }) => key)),
  anyText({ maxLength: 40 }),
);
const value = fc.oneof(
  fc.constantFrom(
    '10s',
    '1s',
    'full',
    '*',
    'cpu=1m',
    'coap://evil.example',
    '9'.repeat(5000),
    '',
    null,
    0,
    -1,
    1e308,
  ),
  fc.constantFrom('"\n\0=,', '../../etc/shadow', 'load1=cpuUsePercent', '{"a":1}'),
  fc.jsonValue({ maxDepth: 3 }),
);
const valid = fc.constantFrom<Record<string, unknown>>(
  { telemetryInterval: '30s' },
  { telemetryInterval: '24h', sensorsOff: '*' },
  { sensorsProfile: 'full', sensorsInterval: { cpu: '1m' } },
  { outboxSpoolSize: '1MB', outboxFreeSpace: '90%' },
  { serverUrl: 'coap://evil.example' },
  { serverUrl: ['https://evil.example'], serverSpread: '1h' },
);
const values = fc
  .tuple(fc.dictionary(name, value, { maxKeys: 12 }), valid)
  .map(([random, chosen]) => ({ ...random, ...chosen }));
const update: fc.Arbitrary<AttributeUpdate> = fc.oneof(
  fc.record({ is: fc.constantFrom('all' as const, 'changed' as const), values }, { noNullPrototype: true }),
  fc.record(
    { is: fc.constant('deleted' as const), keys: fc.array(name, { maxLength: 5 }) },
    { noNullPrototype: true },
  ),
);

it(`${UPDATES} hostile updates leave a valid configuration and flat memory`, {
  timeout: 600_000,
}, async () => {
  await using gateway = await RemoteFixture.open();
  const before = gateway.current.config;
  const heaps: number[] = [];
  for (let block = 0; block < BLOCKS; block += 1) {
    for (const each of fc.sample(update, { numRuns: UPDATES / BLOCKS, seed: block })) {
      gateway.remote.onAttributes(each);
      const { bodies, oversizedKeys } = encodeAttributes(gateway.remote.report.values);
      assert.deepEqual([oversizedKeys.length, bodies.length <= 2], [0, true]);
    }
    await gateway.accept();
    await gateway.minutes(7);
    gateway.log.lines.length = 0;
    if (block % 20 > 0) continue;
    globalThis.gc?.();
    heaps.push(process.memoryUsage().heapUsed);
  }
  const { config } = gateway.current;
  assert.deepEqual(
    [config.device, config.provisioning, config.clock],
    [before.device, before.provisioning, before.clock],
  );
  assert.deepEqual([config.server.tls, config.sensors.custom], [before.server.tls, before.sensors.custom]);
  assert.equal(config.server.endpoints[0].proxy, undefined);
  assert.ok(gateway.loads > 100 && gateway.loads < 1500, `${gateway.loads} loads`);
  assert.ok(gateway.started.length > 10, 'settings were tried');
  assert.ok(Math.max(...heaps.slice(10)) - Math.max(...heaps.slice(2, 10)) < HEAP_BYTES_MAX, heaps.join());
});
