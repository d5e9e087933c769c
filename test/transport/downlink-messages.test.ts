/** What ThingsBoard sends to a device, and what an attacker might send instead. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseAllAttributes,
  parseAttributeNotification,
  parseCommand,
  parseMessage,
  replyFailure,
} from '../../src/transport/downlink-messages.ts';

describe('attributes', () => {
  it('of a registration are all attributes', () => {
    const values = { interval: 60, on: true, none: null, list: [1, { a: 'b' }] };
    assert.deepEqual(parseAllAttributes(JSON.stringify(values)), { is: 'all', values });
    assert.deepEqual(parseAllAttributes('{"deleted":["a"]}'), { is: 'all', values: { deleted: ['a'] } });
    for (const text of ['', '[]', '7', 'null', '"{}"', '{"a":1', '<html>']) {
      assert.equal(parseAllAttributes(text), undefined);
    }
  });

  for (const [text, updates] of [
    ['{"a":1,"b":"x"}', [{ is: 'changed', values: { a: 1, b: 'x' } }]],
    ['{"deleted":["a","b"]}', [{ is: 'deleted', keys: ['a', 'b'] }]],
    [
      '{"a":1,"deleted":["b"]}',
      [
        { is: 'changed', values: { a: 1 } },
        { is: 'deleted', keys: ['b'] },
      ],
    ],
    ['{"deleted":true}', [{ is: 'changed', values: { deleted: true } }]],
    ['{"deleted":[]}', [{ is: 'changed', values: { deleted: [] } }]],
    ['{"deleted":["a",1]}', [{ is: 'changed', values: { deleted: ['a', 1] } }]],
    ['[]', undefined],
    ['', undefined],
  ] as const) {
    it(`of a notification ${text} are ${updates?.map(({ is }) => is).join(' and ') ?? 'none'}`, () => {
      assert.deepEqual(parseAttributeNotification(text), updates);
    });
  }
});

describe('a command', () => {
  for (const [text, command] of [
    ['{"id":0,"method":"ping","params":null}', { id: 0, method: 'ping', params: null }],
    ['{"id":-3,"method":"","params":[1]}', { id: -3, method: '', params: [1] }],
    ['{"id":5,"method":"x"}', { id: 5, method: 'x', params: null }],
    ['{"id":5,"method":"x","params":"text","more":1}', { id: 5, method: 'x', params: 'text' }],
    ['{"id":1.5,"method":"x"}', undefined],
    ['{"id":1e300,"method":"x"}', undefined],
    ['{"id":"1","method":"x"}', undefined],
    ['{"id":1,"method":null}', undefined],
    ['{"method":"x"}', undefined],
    ['[1]', undefined],
  ] as const) {
    it(`${text} is ${command ? 'a command' : 'none'}`, () => {
      assert.deepEqual(parseCommand(text), command);
    });
  }
});

describe('a message', () => {
  it('has at most 64 nested objects and arrays', () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
    assert.ok(parseMessage(nested(64)));
    assert.equal(parseMessage(nested(65)), undefined);
    assert.equal(parseMessage(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`), undefined);
  });

  it('may have brackets, quotes and backslashes in its strings', () => {
    const value = { text: `${'[{'.repeat(500)} " \\ \\" ${'}'.repeat(10)}`, '[[': '\\' };
    assert.deepEqual(parseMessage(JSON.stringify(value)), value);
  });

  it('of 64 kB is read in linear time, whatever it contains', () => {
    for (const text of ['"\\', '\\"', '"', '[]', '{"', '\\\\']) {
      const started = process.cpuUsage();
      parseMessage(text.repeat(65_536 / text.length));
      assert.ok(process.cpuUsage(started).user < 500_000, JSON.stringify(text));
    }
  });

  it('of more than 64 kB is not read', () => {
    assert.equal(parseMessage(JSON.stringify({ a: 'x'.repeat(65_536) })), undefined);
  });

  it('does not reach the prototype of objects', () => {
    const message = parseMessage('{"__proto__":{"polluted":true}}');
    assert.deepEqual(Object.keys(message ?? {}), ['__proto__']);
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });
});

describe('a reply', () => {
  it('has at most 65,536 bytes, not characters', () => {
    assert.equal(replyFailure('x'.repeat(65_536)), undefined);
    assert.deepEqual(replyFailure('é'.repeat(32_769)), {
      reason: 'request-build-failed',
      detail: 'the reply has 65538 bytes; the server accepts at most 65536',
    });
  });
});
