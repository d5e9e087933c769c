/** A secret hides its characters in every conversion to text except `reveal()`. */

import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../../src/core/model/secret.ts';

const TEXT = 'QZ7QZ7QZ7';
const secret = new Secret(TEXT);

/** What a console prints of `values`. */
function printed(...values: unknown[]): string {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  new Console(stream).log(...values);
  return chunks.join('');
}

const WAYS: Readonly<Record<string, () => unknown>> = {
  'a template': () => `${secret}`,
  'string addition': () => `a${String(secret)}`,
  'a join': () => [secret, secret].join(),
  JSON: () => JSON.stringify({ deep: [{ secret }] }),
  inspect: () => inspect({ secret }),
  'inspect with everything shown': () =>
    inspect(secret, { showHidden: true, customInspect: false, getters: true }),
  'format %s': () => format('%s %o %O %j %d', secret, secret, secret, secret, secret),
  console: () => printed(secret, { secret }, [secret]),
  'console in a map': () => printed(new Map([[secret, new Set([secret])]])),
  'the message of an error': () => new Error(`refused ${secret}`).message,
  'the stack of an error': () => inspect(new Error('refused', { cause: secret })),
  'its values': () => JSON.stringify([Object.values(secret), Object.entries(secret)]),
  'its keys': () => Reflect.ownKeys(secret).map(String).join(),
  'a spread': () => JSON.stringify({ ...secret }),
  'a structured clone': () => inspect(structuredClone({ secret }), { showHidden: true }),
  'a for-in loop': () => {
    const seen: string[] = [];
    for (const key in secret) seen.push(key);
    return seen.join();
  },
};

describe('a secret hides its characters as', () => {
  for (const [way, show] of Object.entries(WAYS)) {
    it(way, () => assert.doesNotMatch(String(show()), /QZ7/));
  }
});

it('a secret converts to ***', () => {
  assert.equal(`${secret}`, '***');
  assert.equal(JSON.stringify(secret), '"***"');
  assert.equal(inspect(secret), '***');
});

it('reveal returns the characters of a secret', () => {
  assert.equal(secret.reveal(), TEXT);
});

it('two secrets with equal characters are equal', () => {
  assert.ok(secret.equals(new Secret(TEXT)));
  assert.ok(!secret.equals(new Secret('QZ7')));
});
