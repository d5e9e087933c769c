/** Log lines: format, escaping, length, and odd values. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { LoggerFixture, uncheckedFields } from './logger-fixture.ts';

describe('a log line', () => {
  it('has a priority for systemd, and a time and a level for a terminal', async () => {
    const systemd = new LoggerFixture();
    systemd.logger.error('the disk is full', { freeBytes: 0, path: '/var/lib' });
    systemd.logger.warn('b');
    systemd.logger.info('c');
    systemd.logger.debug('d');
    assert.deepEqual(systemd.lines, [
      '<3>the disk is full freeBytes=0 path=/var/lib',
      '<4>b',
      '<6>c',
      '<7>d',
    ]);
    const terminal = new LoggerFixture({ isJournald: false });
    terminal.logger.warn('the disk is full', { full: true });
    assert.deepEqual(terminal.lines, ['2026-11-21T10:00:00.007Z warn  the disk is full full=true']);
  });

  it('a JSON line is one object, with the same priority or time', () => {
    const systemd = new LoggerFixture({ format: 'json' });
    systemd.logger.info('hello', { n: 1.5, yes: true, text: 'a b', level: 'mine', none: undefined });
    assert.deepEqual(systemd.lines, [
      '<6>{"level":"info","message":"hello","n":1.5,"yes":true,"text":"a b","_level":"mine"}',
    ]);
    const terminal = new LoggerFixture({ format: 'json', isJournald: false });
    terminal.logger.info('hello');
    assert.deepEqual(terminal.lines, [
      '{"time":"2026-11-21T10:00:00.007Z","level":"info","message":"hello"}',
    ]);
  });

  it('a line below the log level is not written', () => {
    const fixture = new LoggerFixture({ level: 'warn' });
    fixture.logger.info('quiet');
    fixture.logger.debug('quieter');
    fixture.logger.warn('loud');
    assert.deepEqual(fixture.lines, ['<4>loud']);
  });

  it('a text line quotes a value that contains a space or looks like a field', () => {
    const fixture = new LoggerFixture();
    fixture.logger.info('said', {
      a: 'two words',
      b: '',
      c: 'x=1',
      d: 'a"b',
      e: 'plain-1.2:/%',
      '': 1,
      none: undefined,
    });
    assert.deepEqual(fixture.lines, [
      String.raw`<6>said a="two words" b="" c="x=1" d="a\"b" e=plain-1.2:/% ""=1`,
    ]);
  });

  for (const format of ['text', 'json'] as const) {
    it(`a log line escapes control characters (${format})`, () => {
      const fixture = new LoggerFixture({ format });
      const evil = 'a\n<0>forged\r\u001b[2J\u0000\u0085\u2028\u202e\u007f\ud800';
      fixture.logger.info(`m ${evil}`, { value: evil, [evil]: 1 });
      assert.equal(fixture.lines.length, 1);
      assert.doesNotMatch(fixture.lines[0] ?? '', /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/u);
      assert.match(fixture.lines[0] ?? '', /^<6>[^<]*a\\n<0>forged\\/);
      if (format === 'json') assert.equal(JSON.parse((fixture.lines[0] ?? '').slice(3)).value, evil);
    });

    it(`a long line is cut to 8 KiB between characters, with a mark (${format})`, () => {
      const fixture = new LoggerFixture({ format });
      const long = 'ü🌅'.repeat(100_000);
      fixture.logger.info(long, { a: long, b: long });
      fixture.logger.info('short', { a: '\u0001'.repeat(9000) });
      fixture.logger.info('many', Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i])));
      assert.equal(fixture.lines.length, 3);
      for (const line of fixture.lines) {
        assert.ok(Buffer.byteLength(line) <= 8192, `${Buffer.byteLength(line)} bytes`);
        assert.match(line, format === 'json' ? /"cutFromBytes":\d+/ : /… \(cut, \d+ bytes\)$/);
        assert.doesNotMatch(line, /\ufffd/);
        if (format === 'json') assert.equal(JSON.parse(line.slice(3)).level, 'info');
      }
    });

    it(`a field keeps the message, code and cause of an error (${format})`, () => {
      const fixture = new LoggerFixture({ format });
      const cause = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
      const loop: Record<string, unknown> = {};
      loop['loop'] = loop;
      const throwing = {
        toJSON: () => {
          throw new Error('no');
        },
      };
      const error = new TypeError('sending failed', { cause });
      const odd = {
        loop,
        throwing: throwing,
        big: 1n,
        nil: null,
        list: [1],
        nan: Number.NaN,
        secret: new Secret('x'),
      };
      fixture.logger.warn('went wrong', uncheckedFields({ error, ...odd }));
      const line = fixture.lines[0] ?? '';
      assert.match(line, /TypeError: sending failed, caused by: connection refused \(ECONNREFUSED\)/);
      assert.match(line, /secret"?[=:]"?\*\*\*/);
    });
  }

  it('a line with an invalid time has "no-time"', () => {
    const clock = new VirtualClock(9e15);
    const fixture = new LoggerFixture({ clock, isJournald: false });
    fixture.logger.info('hello');
    assert.deepEqual(fixture.lines, ['no-time info  hello']);
  });
});
