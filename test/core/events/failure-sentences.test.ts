/** The sentences of the failures. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILURE_SENTENCES } from '../../../src/core/events/failure-sentences.ts';

const ROWS = Object.entries(FAILURE_SENTENCES);

/** What a person can do. */
const REMEDY = /\b(check|compare|delete|raise|renew|set|report)\b/;

it('no two failure reasons share a sentence', () => {
  assert.equal(new Set(ROWS.map(([, sentence]) => sentence)).size, ROWS.length);
});

describe('the sentence of a failure has a cause and a remedy', () => {
  for (const [reason, sentence] of ROWS) {
    it(reason, () => {
      const [cause, remedy] = sentence.split(/: (?!.*: )/);
      assert.match(cause ?? '', /^[a-z ,']{10,}/);
      assert.match(remedy ?? '', reason === 'aborted' ? /nothing to do/ : REMEDY);
    });
  }
});

it('the sentence of a failure is constant, without numbers and quotations', () => {
  for (const [, sentence] of ROWS) {
    assert.doesNotMatch(sentence, /[{}$%"`\\]|\*\*\*|undefined|\[object/);
    assert.doesNotMatch(sentence, /\d/);
    assert.ok(sentence.length <= 240 && !sentence.endsWith('.'), sentence);
  }
});
