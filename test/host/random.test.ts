/** Tokens and jitter of the host. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hostRandom } from '../../src/host/random.ts';

it('mintToken returns 24 letters and digits, different each time', () => {
  const random = hostRandom();
  const tokens = Array.from({ length: 1000 }, () => random.mintToken().reveal());
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9]{24}$/);
  assert.equal(new Set(tokens).size, 1000);
});

it('mintToken uses all 62 characters about equally often', () => {
  const random = hostRandom();
  const counts = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    for (const character of random.mintToken().reveal())
      counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  // 120,000 draws: 1,935 each, standard deviation 44; eight deviations are no accident.
  assert.equal(counts.size, 62);
  for (const [character, count] of counts) assert.ok(Math.abs(count - 1935) < 350, `${character}: ${count}`);
});

it('a minted token is printed as ***', () => {
  assert.equal(`${hostRandom().mintToken()}`, '***');
});

it('jitter is at least 0 and less than 1', () => {
  const random = hostRandom();
  for (let i = 0; i < 1000; i++) {
    const value = random.uniform();
    assert.ok(value >= 0 && value < 1);
  }
});
