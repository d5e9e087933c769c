/** The logger and its reader: it disappears, does not read, or reads late. With real pipes. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openLogger } from '../../../src/host/log/logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const CHILD = join(import.meta.dirname, 'logger-child.js');

describe('a program whose stdout is a pipe', () => {
  it('the logger writes all of 2,000 lines before the process ends', async () => {
    const child = spawn(process.execPath, [CHILD, '2000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = (await text(child.stdout)).trimEnd().split('\n');
    assert.equal(lines.length, 2000);
    assert.match(lines.at(-1) ?? '', /^<6>line number 2000 /);
  });

  it('the process ends normally if its reader closes the pipe, and counts lost lines', async () => {
    const script = `"${process.execPath}" "${CHILD}" 60000; echo "exit $?" >&2`;
    const shell = spawn('sh', ['-c', `{ ${script}; } | head -n 1`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, errors] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
    assert.match(out, /^<6>line number 1 [^\n]*\n$/);
    const report = errors.trimEnd().split('\n');
    assert.equal(report.length, 3, errors);
    assert.equal(report[2], 'exit 0');
    assert.ok(JSON.parse(report[1] ?? '').lost > 40_000, errors);
  });

  it('the logger holds at most 1 MiB for a stalled reader, then reports lost lines', async () => {
    const child = spawn(process.execPath, [CHILD, '60000', 'paced'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [first] = await once(child.stderr, 'data');
    const { grownMiB, lost } = JSON.parse(String(first));
    assert.ok(grownMiB < 64, `grew by ${grownMiB} MiB`);
    assert.ok(lost > 40_000, `lost ${lost}`);
    const reading = text(child.stdout);
    child.stdin.end('go on\n');
    const lines = (await reading).trimEnd().split('\n');
    assert.equal(
      lines.at(-1),
      `<4>log lines were dropped because the reader did not read them lines=${lost}`,
    );
    assert.equal(lines.length - 1 + lost, 60_000);
  });
});

/** A stream that takes lines only after `take()`. */
function slowStream(): { stream: Writable; taken: string[]; take(): void } {
  const taken: string[] = [];
  let done: (() => void) | undefined;
  let open = false;
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, callback) => {
      taken.push(String(chunk));
      if (open) callback();
      else done = callback;
    },
  });
  const take = (): void => {
    open = true;
    done?.();
  };
  return { stream, taken, take };
}

it('a reader that resumes gets the number of lost lines, then every line', async () => {
  const { stream, taken, take } = slowStream();
  const limits = { lines: 1000, windowMs: 1000 };
  const clock = new VirtualClock();
  const logger = openLogger({ level: 'info', format: 'text', isJournald: true, clock, stream, limits });
  for (let n = 0; n < 300; n++) logger.info('much', { text: 'x'.repeat(8000) });
  const { lost } = logger;
  assert.ok(lost > 100 && lost < 200, `lost ${lost}`);
  take();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(
    taken.at(-1),
    `<4>log lines were dropped because the reader did not read them lines=${lost}\n`,
  );
  logger.info('next');
  assert.equal(taken.at(-1), '<6>next\n');
  assert.equal(logger.lost, lost);
});

describe('closing the logger', () => {
  const options = { level: 'info', format: 'text', isJournald: true } as const;

  it('close waits for a reader that reads late', async () => {
    const clock = new VirtualClock();
    const { stream, taken, take } = slowStream();
    const logger = openLogger({ ...options, clock, stream });
    for (let n = 0; n < 5; n++) logger.info(`line ${n}`);
    let closed = false;
    const closing = logger.close().then(() => {
      closed = true;
    });
    await clock.advance(1000);
    assert.equal(closed, false);
    take();
    await closing;
    assert.deepEqual(taken.join('').match(/line \d/g), ['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
  });

  it('close resolves after two seconds if the reader does not read', async () => {
    const clock = new VirtualClock();
    const logger = openLogger({ ...options, clock, stream: slowStream().stream });
    logger.info('unread');
    const closing = logger.close();
    await clock.advance(2000);
    await closing;
  });

  it('close resolves at once if the reader is gone, and later lines count as lost', async () => {
    const clock = new VirtualClock();
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const logger = openLogger({ ...options, clock, stream });
    logger.info('written to a broken pipe');
    await new Promise((resolve) => stream.once('close', resolve));
    logger.info('counted');
    await logger.close();
    await logger.close();
    logger.info('counted too');
    assert.equal(logger.lost, 2);
  });

  it('close leaves the stream open, and later lines are not written', async () => {
    const { stream, taken, take } = slowStream();
    take();
    const logger = openLogger({ ...options, clock: new VirtualClock(), stream });
    logger.info('last line');
    await logger.close();
    logger.info('too late');
    assert.equal(stream.writableEnded, false);
    assert.deepEqual(
      taken.filter((chunk) => chunk !== ''),
      ['<6>last line\n'],
    );
  });
});
