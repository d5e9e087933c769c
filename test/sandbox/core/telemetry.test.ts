/** Telemetry bodies (contract section 4.1) and the record of stored points. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { DeviceHandle, PostAnswer } from '../../../src/sandbox/core/model/types.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { openQuickCore, withDevice } from '../helpers/quick-core.ts';

const NOW = 1_800_000_000_000;

interface Harness {
  readonly core: SandboxCoreWithAdmin;
  readonly device: DeviceHandle;
  post(body: string): Promise<PostAnswer['status']>;
  /** The stored points as key, timestamp and value. */
  stored(): readonly (readonly [string, number, unknown])[];
}

async function openHarness(): Promise<Harness> {
  const core = openQuickCore({ clock: new ManualClock(NOW) });
  const device = await withDevice(core);
  return {
    core,
    device,
    post: async (body) => (await core.telemetry(device, body, 'coap')).status,
    stored: () => core.admin.points().map(({ key, ts, value }) => [key, ts, value] as const),
  };
}

const ACCEPTED: readonly (readonly [what: string, body: string, stored: readonly unknown[]])[] = [
  [
    'a flat object, dated by the server',
    '{"a":1,"b":true}',
    [
      ['a', NOW, 1],
      ['b', NOW, true],
    ],
  ],
  ['ts with values', '{"ts":1700000000000,"values":{"cpu":12.5}}', [['cpu', 1_700_000_000_000, 12.5]]],
  ['ts with values, ignoring other members', '{"ts":5,"values":{"a":1},"b":2}', [['a', 5, 1]]],
  [
    'an array that mixes both forms',
    '[{"a":1},{"ts":5,"values":{"a":2}}]',
    [
      ['a', NOW, 1],
      ['a', 5, 2],
    ],
  ],
  [
    'ts without values as an ordinary key',
    '{"ts":5,"a":1}',
    [
      ['ts', NOW, 5],
      ['a', NOW, 1],
    ],
  ],
  ['values without ts as an ordinary key', '{"values":{"a":1}}', [['values', NOW, '{"a":1}']]],
  ['an empty object', '{}', []],
  ['empty values', '{"ts":1,"values":{}}', []],
  ['an array of an empty object', '[{}]', []],
  ['null values by dropping them', '{"a":null,"b":1}', [['b', NOW, 1]]],
  ['seconds, stored in 1970', '{"ts":1700000000,"values":{"a":1}}', [['a', 1_700_000_000, 1]]],
  ['a numeric string as ts', '{"ts":"5","values":{"a":1}}', [['a', 5, 1]]],
  ['a fractional ts by cutting it off', '{"ts":5.9,"values":{"a":1}}', [['a', 5, 1]]],
  ['a negative ts', '{"ts":-5,"values":{"a":1}}', [['a', -5, 1]]],
  ['ts as 1.7e12', '{"ts":1.7e12,"values":{"a":1}}', [['a', 1_700_000_000_000, 1]]],
  [
    'nested nulls by dropping them, but not those of arrays',
    '{"a":{"b":null,"c":[null]}}',
    [['a', NOW, '{"c":[null]}']],
  ],
  ['an empty key, which loses its object', '{"":1,"a":2}', []],
  [
    'a key of 256 characters, which loses its element',
    `[{"a":1},{"ts":5,"values":{"b":2,"${'k'.repeat(256)}":3}},{"c":4}]`,
    [
      ['a', NOW, 1],
      ['c', NOW, 4],
    ],
  ],
];

const REJECTED: readonly (readonly [what: string, body: string, status: PostAnswer['status']])[] = [
  ['truncated JSON', '{', 'malformed'],
  ['a scalar', '1', 'malformed'],
  ['an empty payload', '', 'malformed'],
  ['null', 'null', 'malformed'],
  ['an array element that is no object', '[{"a":1},2]', 'malformed'],
  ['a trailing comma in an array, which is a null element', '[{"a":1},]', 'malformed'],
  ['values that are no object', '{"ts":1,"values":[]}', 'malformed'],
  ['null values', '{"ts":1,"values":null}', 'malformed'],
  ['a null ts', '{"ts":null,"values":{"a":1}}', 'failed'],
  ['a ts that is no number', '{"ts":"abc","values":{"a":1}}', 'failed'],
  ['a boolean ts', '{"ts":true,"values":{"a":1}}', 'failed'],
  ['a bad ts after a good element', '[{"a":1},{"ts":"abc","values":{"a":1}}]', 'failed'],
  ['an empty array', '[]', 'silent'],
];

describe('telemetry', () => {
  for (const [what, body, stored] of ACCEPTED) {
    it(`telemetry accepts ${what}`, async () => {
      const { post, stored: storedPoints } = await openHarness();
      assert.equal(await post(body), 'accepted');
      assert.deepEqual(storedPoints(), stored);
    });
  }

  for (const [what, body, status] of REJECTED) {
    it(`telemetry answers ${what} as ${status} and stores nothing`, async () => {
      const { post, stored } = await openHarness();
      assert.equal(await post(body), status);
      assert.deepEqual(stored(), []);
    });
  }

  it('one number that is too long rejects the message with the type cast off', async () => {
    const { core, post, stored } = await openHarness();
    core.admin.updateKnobs({ typeCast: false });
    assert.equal(await post('[{"a":1},{"b":1E400}]'), 'malformed');
    assert.deepEqual(stored(), []);
  });

  it('a post under the rate limit fails and stores nothing', async () => {
    const { core, post, stored } = await openHarness();
    core.admin.updateKnobs({ rateLimited: true });
    assert.equal(await post('{"a":1}'), 'failed');
    assert.deepEqual(stored(), []);
  });

  it('a post fails if the device was deleted after the token check', async () => {
    const { core, post } = await openHarness();
    core.admin.deleteDevice('gw-0001');
    assert.equal(await post('{"a":1}'), 'failed');
  });

  it('a point records protocol, type and origin of the timestamp', async () => {
    const { core, device } = await openHarness();
    await core.telemetry(device, '{"ts":5,"values":{"a":"1.10"}}', 'http');
    assert.deepEqual(core.admin.points(), [
      {
        device: 'gw-0001',
        key: 'a',
        ts: 5,
        value: 1.1,
        type: 'double',
        via: 'http',
        tsGiven: true,
        storedAt: NOW,
      },
    ]);
  });
});

describe('PointRecord', () => {
  it('the record distinguishes a repeated point from an overwritten one', async () => {
    const { core, post } = await openHarness();
    await post('{"ts":5,"values":{"a":1}}');
    await post('{"ts":5,"values":{"a":1}}');
    await post('{"ts":5,"values":{"a":2}}');
    await post('{"ts":6,"values":{"a":2}}');
    assert.deepEqual(
      core.admin
        .duplicatePoints()
        .map(({ key, ts, first, again, equal }) => ({ key, ts, first, again, equal })),
      [
        { key: 'a', ts: 5, first: 1, again: 1, equal: true },
        { key: 'a', ts: 5, first: 1, again: 2, equal: false },
      ],
    );
  });

  it('the record treats a long and a double of one value as different', async () => {
    const { core, post } = await openHarness();
    await post('{"ts":5,"values":{"a":1}}');
    await post('{"ts":5,"values":{"a":1.0}}');
    assert.equal(core.admin.duplicatePoints()[0]?.equal, false);
  });

  it('the record finds points by device, key, time and limit', async () => {
    const { core, post } = await openHarness();
    await post('[{"ts":1,"values":{"a":1,"b":1}},{"ts":2,"values":{"a":2}},{"ts":3,"values":{"a":3}}]');
    const { admin } = core;
    assert.equal(admin.points({ device: 'other' }).length, 0);
    assert.equal(admin.points({ device: 'gw-0001', key: 'b' }).length, 1);
    assert.deepEqual(
      admin.points({ key: 'a', since: 2 }).map(({ ts }) => ts),
      [2, 3],
    );
    assert.deepEqual(
      admin.points({ key: 'a', limit: 1 }).map(({ ts }) => ts),
      [3],
    );
    assert.deepEqual(admin.points({ limit: 0 }), []);
  });

  it('the record drops and counts the oldest points beyond its limit', async () => {
    const core = openQuickCore({ recordBounds: { pointsMax: 10 } });
    const device = await withDevice(core);
    for (let ts = 1; ts <= 25; ts += 1) await core.telemetry(device, `{"ts":${ts},"values":{"a":1}}`, 'coap');
    assert.deepEqual(
      core.admin.points().map(({ ts }) => ts),
      [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    );
    const { stored, kept, dropped } = core.admin.stats().points;
    assert.deepEqual({ stored, kept, dropped }, { stored: 25, kept: 10, dropped: 15 });
  });

  it('a dropped point is no longer compared', async () => {
    const core = openQuickCore({ recordBounds: { pointsMax: 1 } });
    const device = await withDevice(core);
    for (const ts of [1, 2, 1]) await core.telemetry(device, `{"ts":${ts},"values":{"a":1}}`, 'coap');
    assert.deepEqual(core.admin.duplicatePoints(), []);
  });

  it('a point stored again is still compared when its first copy is dropped', async () => {
    const core = openQuickCore({ recordBounds: { pointsMax: 2 } });
    const device = await withDevice(core);
    for (const ts of [1, 1, 2, 1]) await core.telemetry(device, `{"ts":${ts},"values":{"a":1}}`, 'coap');
    assert.equal(core.admin.duplicatePoints().length, 2);
  });

  it('the record keeps duplicate datagrams', () => {
    const core = openQuickCore();
    core.recordDuplicateDatagram('MID 1001 from 127.0.0.1:4711');
    assert.deepEqual(core.admin.duplicateDatagrams(), ['MID 1001 from 127.0.0.1:4711']);
    assert.equal(core.admin.stats().points.duplicateDatagrams, 1);
  });

  it('the record counts per device', async () => {
    const { core, post } = await openHarness();
    await post('[{"ts":9,"values":{"a":1}},{"ts":7,"values":{"a":1}}]');
    await post('{');
    const { perDevice, requests } = core.admin.stats();
    assert.deepEqual(perDevice, { 'gw-0001': { points: 2, lastTs: 9, lastStoredAt: NOW } });
    assert.deepEqual(requests, { 'telemetry accepted': 1, 'telemetry malformed': 1, 'token ok': 1 });
  });
});
