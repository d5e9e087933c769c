/** The stored form of the server's settings: what is written is read again, and nothing else is believed. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  type SettingsRecord,
  settingsFromDisk,
  settingsToDisk,
} from '../../../src/core/downlink/stored-settings.ts';
import type { JsonObject } from '../../../src/core/model/json-object.ts';

const throughDisk = (record: SettingsRecord) =>
  settingsFromDisk(JSON.parse(JSON.stringify(settingsToDisk(record))) as JsonObject);

describe('stored settings', () => {
  it('are read as they were written', () => {
    const key = fc.constantFrom('telemetry.interval', 'server.url', 'log.level');
    const wish = fc.option(fc.string({ maxLength: 100 }), { nil: null });
    const setting = fc.record(
      { text: fc.string({ maxLength: 100 }), sinceMs: fc.integer() },
      { noNullPrototype: true },
    );
    const toMap = <T>(values: Record<string, T>) => new Map(Object.entries(values));
    fc.assert(
      fc.property(fc.dictionary(key, setting), fc.dictionary(key, wish), (confirmed, rejected) => {
        const record = {
          confirmed: toMap(confirmed),
          rejected: toMap(rejected),
          board: ['serial:1'],
          localUrls: ['coap://a:5683'],
        };
        assert.deepEqual(throughDisk(record), { is: 'good', record });
      }),
    );
  });

  const values = { a: { text: '1', sinceMs: 1 } };
  const cases: readonly [string, JsonObject, 'good' | 'bad' | 'newer'][] = [
    ['of this version', { version: 1, values }, 'good'],
    ['with unknown members', { version: 1, values, more: true }, 'good'],
    ['of a newer version', { version: 2, values: 'something else' }, 'newer'],
    ['without a version', { values }, 'bad'],
    ['without values', { version: 1 }, 'bad'],
    ['with values of another type', { version: 1, values: { a: '1' } }, 'bad'],
    [
      'with a value that is too long',
      { version: 1, values: { a: { text: 'x'.repeat(4097), sinceMs: 1 } } },
      'bad',
    ],
    ['with a list of values', { version: 1, values: [] }, 'bad'],
    ['with a number that was taken back', { version: 1, values, rejected: { a: 1 } }, 'bad'],
    ['with a deletion that was taken back', { version: 1, values, rejected: { a: null } }, 'good'],
    ['with a board of another type', { version: 1, values, board: 'serial:1' }, 'bad'],
    [
      'with too many values',
      { version: 1, values: Object.fromEntries(Array.from({ length: 300 }, (_, key) => [key, values.a])) },
      'bad',
    ],
  ];
  for (const [title, object, is] of cases) {
    it(`${title} are ${is === 'good' ? 'read' : is}`, () => assert.equal(settingsFromDisk(object).is, is));
  }

  it('never throw, whatever JSON they are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('version', 'values', 'rejected', 'board'), fc.jsonValue()),
        (object) => {
          settingsFromDisk({ version: 1, ...object });
        },
      ),
    );
  });
});
