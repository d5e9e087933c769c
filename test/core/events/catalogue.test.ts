/** Each event is logged somewhere, each log line has an event id, and each problem has a remedy. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  EVENTS,
  type EventId,
  failureEventId,
  isEventId,
  logEvent,
  splitSentence,
} from '../../../src/core/events/catalogue.ts';
import { FAILURE_SENTENCES } from '../../../src/core/events/failure-sentences.ts';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import { FAILURE_POLICIES } from '../../../src/core/failures/policies.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const ROWS = Object.entries(EVENTS);
/** What a person can do. */
const REMEDY =
  /\b(change|check|compare|correct|delete|free|give|install|let|move|nothing to do|provision|raise|remove|report|restart|run|set|shorten|stop)\b/;
const SOURCES = join(process.cwd(), 'src');

/** Everything the agent is made of, but the catalogue itself. */
function sources(): readonly (readonly [file: string, text: string])[] {
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(sandbox\/|core\/events)/.test(file))
    .map((file) => [file, readFileSync(join(SOURCES, file), 'utf8')]);
}

describe('an event', () => {
  for (const [id, { level, sentence }] of ROWS) {
    it(`${id} has a constant sentence, and a remedy above level info`, () => {
      assert.match(id, /^FL-[A-Z]+(-[A-Z]+)*$/);
      assert.match(sentence, /^[a-z]/);
      assert.doesNotMatch(sentence, /[{}$%`\\\n]|\*\*\*|undefined|\.$/);
      const { cause, remedy } = splitSentence(sentence);
      assert.ok(cause.length > 0);
      if (level !== 'info') assert.match(remedy, REMEDY);
    });
  }

  it('no two events share a sentence', () => {
    assert.equal(new Set(ROWS.map(([, { sentence }]) => sentence)).size, ROWS.length);
  });

  it('each failure is an event with the same level and sentence', () => {
    for (const reason of Object.keys(FAILURE_POLICIES) as FailureReason[]) {
      const { level } = FAILURE_POLICIES[reason];
      assert.deepEqual(EVENTS[failureEventId(reason)], { level, sentence: FAILURE_SENTENCES[reason] });
    }
  });

  it('each event is logged somewhere in the program', () => {
    const logged = sources()
      .map(([, text]) => text)
      .join('\n');
    const failures = new Set(
      Object.keys(FAILURE_POLICIES).map((reason) => failureEventId(reason as FailureReason)),
    );
    const silent = ROWS.map(([id]) => id).filter(
      (id) => !failures.has(id as ReturnType<typeof failureEventId>) && !logged.includes(`'${id}'`),
    );
    assert.deepEqual(silent, []);
  });

  it('every log line above debug is an event of the catalogue', () => {
    const past = sources().flatMap(([file, text]) =>
      [...text.matchAll(/\blog\.(info|warn|error)\(/g)].map(([call]) => `${file}: ${call}`),
    );
    assert.deepEqual(past, []);
  });
});

describe('logEvent', () => {
  it('logEvent writes the sentence at the level of the event, with its id last', () => {
    const lines: unknown[] = [];
    const log = { info() {}, warn: (...line: unknown[]) => lines.push(line), error() {} };
    logEvent(log, 'FL-DEVICE-NAME-AMBIGUOUS', { device: 'gw-1' }, 'another sentence');
    assert.deepEqual(lines, [['another sentence', { device: 'gw-1', event: 'FL-DEVICE-NAME-AMBIGUOUS' }]]);
    assert.equal(Object.keys((lines as [string, object][])[0]?.[1] ?? {})[1], 'event');
  });

  it('logEvent works for every event', () => {
    const log = new RecordingLogger();
    for (const [id] of ROWS) logEvent(log, id as EventId);
    assert.deepEqual(
      log.logged.map(({ level, message }) => ({ level, sentence: message })),
      ROWS.map(([, entry]) => ({ ...entry })),
    );
  });
});

it('splitSentence splits at the first colon; without one the remedy is empty', () => {
  assert.deepEqual(splitSentence('a: b: c'), { cause: 'a', remedy: 'b: c' });
  assert.deepEqual(splitSentence('a'), { cause: 'a', remedy: '' });
});

it('isEventId accepts only ids of the catalogue', () => {
  assert.ok(isEventId('FL-SERVER-TIMEOUT'));
  for (const other of ['FL-NOTHING', 'toString', 7, undefined]) assert.ok(!isEventId(other));
});
