/** One message cannot flood the log, and suppressed lines are counted. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoggerFixture } from './logger-fixture.ts';

describe('rate limit of the log', () => {
  it('a repeated message is written ten times a minute, then counted once', async () => {
    const fixture = new LoggerFixture();
    for (let n = 1; n <= 224; n++) fixture.logger.warn('no answer', { n });
    fixture.logger.info('something else');
    assert.equal(fixture.lines.length, 11);
    await fixture.clock.advance(59_999);
    assert.equal(fixture.lines.length, 11);
    await fixture.clock.advance(1);
    assert.equal(fixture.lines.at(-1), '<4>no answer … and 214 more');
    await fixture.clock.advance(600_000);
    assert.equal(fixture.lines.length, 12);
    assert.equal(fixture.clock.sleeping, 0);
  });

  it('a message that never pauses gets a new window every minute', async () => {
    const fixture = new LoggerFixture();
    for (let minute = 0; minute < 3; minute++) {
      for (let n = 0; n < 10; n++) fixture.logger.info('hello');
      await fixture.clock.advance(60_000);
    }
    assert.equal(fixture.lines.length, 30);
  });

  it('closing the logger reports the suppressed lines', async () => {
    const fixture = new LoggerFixture({ limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5; n++) fixture.logger.error('again');
    await fixture.logger.close();
    assert.deepEqual(fixture.lines, ['<3>again', '<3>again … and 4 more']);
    assert.equal(fixture.clock.sleeping, 0);
  });

  it('lines below the log level do not count against the limit', () => {
    const fixture = new LoggerFixture({ level: 'warn', limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5; n++) fixture.logger.debug('flapping');
    fixture.logger.warn('flapping');
    assert.deepEqual(fixture.lines, ['<4>flapping']);
  });

  it('varying messages end old windows early, and every suppressed line is counted', async () => {
    const fixture = new LoggerFixture({ limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5000; n++) {
      fixture.logger.info(`message ${n}`);
      fixture.logger.info(`message ${n}`);
    }
    assert.ok(fixture.lines.length >= 9000);
    await fixture.logger.close();
    assert.equal(fixture.lines.filter((line) => line.endsWith('… and 1 more')).length, 5000);
  });
});
