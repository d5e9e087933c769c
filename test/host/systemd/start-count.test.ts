/** The count of starts on real files: per boot, and nothing where it cannot be kept. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { countRestarts } from '../../../src/host/systemd/start-count.ts';

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-run-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

it('counts from one start of this boot to the next, and leaves one file that only its user can read', (t) => {
  const directory = folder(t);
  const started = [1, 2, 3].map(() => countRestarts({ directory, bootId: 'this' }));
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual(readdirSync(directory), ['starts.json']);
  assert.equal(statSync(join(directory, 'starts.json')).mode & 0o777, 0o600);
});

it('begins anew in another boot, also where the directory outlives it', (t) => {
  const directory = folder(t);
  for (const bootId of ['this', 'this', 'this']) countRestarts({ directory, bootId });
  assert.equal(countRestarts({ directory, bootId: 'next' }), 0);
  assert.equal(countRestarts({ directory, bootId: 'next' }), 1);
});

for (const text of [
  '',
  '{"boot":"this","sta',
  'null',
  '[]',
  '{"boot":"this"}',
  '{"boot":"this","starts":"7"}',
  '{"boot":"this","starts":-1}',
  '{"boot":"this","starts":1.5}',
  '{"boot":"this","starts":1e300}',
]) {
  it(`takes ${JSON.stringify(text)} for no start`, (t) => {
    const directory = folder(t);
    writeFileSync(join(directory, 'starts.json'), text);
    assert.equal(countRestarts({ directory, bootId: 'this' }), 0);
    assert.equal(countRestarts({ directory, bootId: 'this' }), 1);
  });
}

it('knows nothing where it cannot write', () => {
  assert.equal(countRestarts({ directory: '/nowhere/firstlight', bootId: 'this' }), undefined);
});
