/** One message cannot fill the journal, and what is left out is counted. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bench } from './logger-fixture.ts';

describe('one message again and again', () => {
  it('is written ten times a minute, then counted once, when the minute is over', async () => {
    const bench = new Bench();
    for (let n = 1; n <= 224; n++) bench.journal.warn('no answer', { n });
    bench.journal.info('something else');
    assert.equal(bench.lines.length, 11);
    await bench.clock.advance(59_999);
    assert.equal(bench.lines.length, 11);
    await bench.clock.advance(1);
    assert.equal(bench.lines.at(-1), '<4>no answer … and 214 more');
    await bench.clock.advance(600_000);
    assert.equal(bench.lines.length, 12);
    assert.equal(bench.clock.sleeping, 0);
  });

  it('begins a new count after the minute, also when it was never silent', async () => {
    const bench = new Bench();
    for (let minute = 0; minute < 3; minute++) {
      for (let n = 0; n < 10; n++) bench.journal.info('hello');
      await bench.clock.advance(60_000);
    }
    assert.equal(bench.lines.length, 30);
  });

  it('is counted when the journal closes', async () => {
    const bench = new Bench({ limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5; n++) bench.journal.error('again');
    await bench.journal.close();
    assert.deepEqual(bench.lines, ['<3>again', '<3>again … and 4 more']);
    assert.equal(bench.clock.sleeping, 0);
  });

  it('below the level uses nothing up for the same message above it', () => {
    const bench = new Bench({ level: 'warn', limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5; n++) bench.journal.debug('flapping');
    bench.journal.warn('flapping');
    assert.deepEqual(bench.lines, ['<4>flapping']);
  });

  it('that varies (a bug) is bounded in memory and still loses no count', async () => {
    const bench = new Bench({ limits: { lines: 1, windowMs: 60_000 } });
    for (let n = 0; n < 5000; n++) {
      bench.journal.info(`message ${n}`);
      bench.journal.info(`message ${n}`);
    }
    assert.ok(bench.lines.length >= 9000);
    await bench.journal.close();
    assert.equal(bench.lines.filter((line) => line.endsWith('… and 1 more')).length, 5000);
  });
});
