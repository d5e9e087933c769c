/** Shared attributes of the server become texts of settings, or problems, whatever JSON they are. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { attributeOf } from '../../src/config/schema/setting.ts';
import { allSettings, remoteSettings } from '../../src/config/schema/settings.ts';
import { readSharedAttributes } from '../../src/config/shared-attributes.ts';

function texts(attributes: Record<string, unknown>): Record<string, string | undefined> {
  return Object.fromEntries(readSharedAttributes(attributes).values);
}

function sentences(attributes: Record<string, unknown>): readonly string[] {
  return [...readSharedAttributes(attributes).problems.values()].map(({ sentence }) => sentence);
}

describe('the table of settings', () => {
  it('only telemetry, sensors, outbox, log, server.url and server.spread may be remote', () => {
    const remote = remoteSettings.map(({ key }) => key);
    const allowed = /^(telemetry|sensors|outbox|log)\.|^server\.(url|spread)$/;
    assert.deepEqual(
      remote,
      allSettings.map(({ key }) => key).filter((key) => allowed.test(key)),
    );
  });

  it('no setting that may be remote is a secret or names a file', () => {
    assert.deepEqual(
      remoteSettings.filter(({ type }) => type === 'secret' || type === 'path'),
      [],
    );
  });

  it('the attribute is named after the key', () => {
    assert.deepEqual(
      remoteSettings.map(attributeOf).filter((name) => /^(telemetryI|outboxSpoolA|serverU)/.test(name)),
      ['serverUrl', 'telemetryInterval', 'outboxSpoolAfter'],
    );
  });
});

describe('readSharedAttributes', () => {
  const values: readonly [string, unknown, string][] = [
    ['telemetryInterval', '30s', '30s'],
    ['telemetryDrainRate', 20, '20'],
    ['telemetryDrainRate', '20', '20'],
    ['telemetryDeadband', { load1: 0.1, 'net*': 100 }, 'load1=0.1, net*=100'],
    ['telemetryDeadband', ['load1=0.1', 'net*=100'], 'load1=0.1, net*=100'],
    ['telemetryDeadband', {}, ''],
    ['sensorsRename', { load1: 'load' }, 'load1=load'],
    ['sensorsInterval', { cpu: '1m' }, 'cpu=1m'],
    ['sensorsOff', ['load5', 'load15'], 'load5, load15'],
    ['sensorsOff', [], ''],
    ['serverUrl', ['coap://a.example', 'https://a.example'], 'coap://a.example, https://a.example'],
    ['logLevel', 'debug', 'debug'],
  ];
  for (const [name, raw, text] of values) {
    it(`accepts ${name} = ${JSON.stringify(raw)}`, () => {
      const { values: found, problems } = readSharedAttributes({ [name]: raw });
      assert.deepEqual([[...found.values()], problems.size], [[text], 0]);
    });
  }

  const refused: readonly [string, unknown, RegExp][] = [
    [
      'telemetryInterval',
      30,
      /"30" is not a duration; allowed: 1s to 24h; example: telemetryInterval = "10s"$/,
    ],
    ['telemetryInterval', '100ms', /is too short/],
    ['telemetryInterval', null, /is null/],
    ['telemetryInterval', ['10s'], /is an array/],
    ['telemetryInterval', { value: '10s' }, /is an object/],
    ['telemetryInterval', true, /"true" is not a duration/],
    ['telemetryDrainRate', 1.5, /"1.5" is not a whole number/],
    ['telemetryDeadband', { load1: { min: 1 } }, /has an invalid element 1/],
    ['telemetryDeadband', { 'load1=1,load5': 1 }, /has an invalid element 1/],
    ['telemetryDeadband', { load1: '1,load5=2' }, /has an invalid element 1/],
    ['sensorsOff', ['load5,load15'], /has an invalid element 1/],
    ['sensorsOff', [['load5']], /has an invalid element 1/],
    ['sensorsOff', Array(1000).fill('a'), /has more than 256 elements/],
    ['sensorsOff', 'a'.repeat(5000), /is longer than 4 KiB/],
    ['sensorsOff', { load5: 1 }, /has an invalid part 1/],
    ['serverUrl', 'coap://name:password@a.example', /has user information/],
    ['serverUrl', { url: 'coap://a.example' }, /is not a URL/],
    ['logLevel', 'trace', /is not an accepted value/],
  ];
  for (const [name, raw, sentence] of refused) {
    it(`refuses ${name} = ${JSON.stringify(raw)?.slice(0, 30)} alone and names it`, () => {
      const attributes = { [name]: raw, logFormat: 'json' };
      assert.deepEqual(texts(attributes)['log.format'], 'json');
      const { values: found, problems } = readSharedAttributes(attributes);
      assert.equal([...found.values()].filter((text) => text === undefined).length, 1);
      assert.equal(problems.size, 1);
      const text = problems.get(name)?.sentence ?? '';
      assert.match(text, new RegExp(`^shared attribute ${name}: `));
      assert.match(text, sentence);
      assert.ok(text.length < 700, String(text.length));
    });
  }

  it('ignores the attributes of others', () => {
    const attributes = {
      fw_title: 'a',
      sw_version: 1,
      deviceName: 'x',
      interval: 3,
      serverId: 1,
      targetUrl: '',
    };
    assert.deepEqual([texts(attributes), sentences(attributes)], [{}, []]);
  });

  it('reports a name that is nearly one of ours', () => {
    assert.deepEqual(sentences({ telemtryInterval: '30s', 'log.level': 'info', server_url: 'x' }), [
      'shared attribute telemtryInterval: is not a setting; did you mean telemetryInterval?',
      'shared attribute "log.level": is not a setting; did you mean logLevel?',
      'shared attribute server_url: is not a setting; did you mean serverUrl?',
    ]);
  });

  it('reports a setting that only the gateway may set, without its value', () => {
    assert.deepEqual(sentences({ serverProxy: 'http://name:secret@proxy' }), [
      'shared attribute serverProxy: sets server.proxy, which only the configuration of the gateway can set',
    ]);
  });

  it('stays fast and bounded for any attributes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.string(), fc.constantFrom(...remoteSettings.map(attributeOf), '__proto__', 'toString')),
          fc.jsonValue(),
        ),
        (attributes) => {
          const { values: found, problems } = readSharedAttributes(attributes);
          assert.ok(found.size <= remoteSettings.length);
          for (const { sentence } of problems.values()) {
            assert.ok(sentence.length < 700);
            assert.doesNotMatch(sentence, /[\n\r\0]/);
          }
        },
      ),
    );
    const startMs = performance.now();
    readSharedAttributes(
      Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`telemetryIntervl${index}`, index])),
    );
    assert.ok(performance.now() - startMs < 10_000);
  });
});
