/** The count of starts, on real files. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { countRestarts } from '../../../src/host/systemd/start-count.ts';

function runtimeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-run-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

it('countRestarts counts the starts of this boot, in one file of mode 0600', (t) => {
  const directory = runtimeDirectory(t);
  const started = [1, 2, 3].map(() => countRestarts({ directory, bootId: 'this' }));
  assert.deepEqual(started, [0, 1, 2]);
  assert.deepEqual(readdirSync(directory), ['starts.json']);
  assert.equal(statSync(join(directory, 'starts.json')).mode & 0o777, 0o600);
});

it('countRestarts starts at 0 in another boot, even if the directory remains', (t) => {
  const directory = runtimeDirectory(t);
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
  it(`countRestarts treats ${JSON.stringify(text)} as damage and starts at 0`, (t) => {
    const directory = runtimeDirectory(t);
    writeFileSync(join(directory, 'starts.json'), text);
    assert.equal(countRestarts({ directory, bootId: 'this' }), 0);
    assert.equal(countRestarts({ directory, bootId: 'this' }), 1);
  });
}

it('countRestarts returns undefined if it cannot write', () => {
  assert.equal(countRestarts({ directory: '/nowhere/firstlight', bootId: 'this' }), undefined);
});
