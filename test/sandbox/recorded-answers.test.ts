/** The recorded answers, with a core that answers at once. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { matches, readScenario, readValues } from './helpers/recorded-probes.ts';
import { testRecordedAnswers } from './recorded-answers.ts';

/** Above the 500 ms after which the server sends an empty ACK, and the polls of 1 s. */
testRecordedAnswers({ latencyMs: 0, listenMs: 1_200 });

describe('the recording', () => {
  test('the recording has the results of 338 probes', () => {
    const files = ['provisioning', 'messages', 'posts', 'downlink', 'http'];
    const probes = files.flatMap((file) => readScenario(file).probes);
    // Blocks of one upload are one probe, and what a caller got is a probe of its own.
    const laterBlocks = probes.filter(({ name }) => /, block [1-9]/.test(name)).length;
    const callers = probes.filter((probe) => probe.callerGot !== undefined).length;
    assert.equal(probes.length - laterBlocks + callers + 2 * readValues().length, 338);
  });
});

describe('matches', () => {
  const recorded = [['ACK 2.01 Observe=1', { a: 1, b: [null, '*'] }]];
  const others: readonly (readonly [what: string, value: unknown])[] = [
    ['no answer', []],
    ['a further answer', [['ACK 2.01 Observe=1', { a: 1, b: [null, 2] }], ['ACK 0.00']]],
    ['another code', [['ACK 2.05 Observe=1', { a: 1, b: [null, 2] }]]],
    ['another value', [['ACK 2.01 Observe=1', { a: 2, b: [null, 2] }]]],
    ['a missing member', [['ACK 2.01 Observe=1', { b: [null, 2] }]]],
    ['a further member', [['ACK 2.01 Observe=1', { a: 1, b: [null, 2], c: null }]]],
    ['a missing item', [['ACK 2.01 Observe=1', { a: 1, b: [null] }]]],
    ['no payload', [['ACK 2.01 Observe=1']]],
    ['a text instead of JSON', [['ACK 2.01 Observe=1', '{']]],
  ];
  for (const [what, value] of others) {
    test(`matches tells ${what} from the recorded answer`, () => assert.ok(!matches(recorded, value)));
  }

  test('matches ignores the order of members, and what the recording leaves open', () => {
    assert.ok(matches(recorded, [['ACK 2.01 Observe=1', { b: [null, 'any'], a: 1 }]]));
    assert.ok(matches('*end', 'the end'));
    assert.ok(!matches('*end', 'the end.'));
    assert.ok(!matches('<20 letters and digits>', 'short'));
  });
});
