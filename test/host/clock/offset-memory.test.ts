/** The memory of the clock's offsets, on real files. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { createOffsetMemory } from '../../../src/host/clock/offset-memory.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';

const OFFSETS = { firstMs: 1_790_000_000_000, believedMs: 1_790_000_000_250.5, savedBootMs: 60_000 };

function memoryIn(t: TestContext, directory = mkdtempSync(join(tmpdir(), 'firstlight-run-'))) {
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const log = new RecordingLogger();
  const open = (bootId: string) => createOffsetMemory({ directory, bootId, log });
  return { directory, log, open };
}

it('another process of the same boot loads the offsets, from one file of mode 0600', (t) => {
  const { directory, open } = memoryIn(t);
  open('this').save({ firstMs: OFFSETS.firstMs });
  open('this').save(OFFSETS);
  assert.deepEqual(open('this').load(), OFFSETS);
  assert.deepEqual(readdirSync(directory), ['clock.json']);
  assert.equal(statSync(join(directory, 'clock.json')).mode & 0o777, 0o600);
});

it('offsets of another boot are ignored', (t) => {
  const { open } = memoryIn(t);
  open('this').save(OFFSETS);
  assert.equal(open('next').load(), undefined);
});

for (const text of [
  '',
  '{"boot":"this","firstMs":17900',
  'null',
  '[]',
  '{"boot":"this"}',
  '{"boot":"this","firstMs":"1790000000000"}',
  '{"boot":"this","firstMs":-5}',
  '{"boot":"this","firstMs":1790000000000,"believedMs":null}',
  '{"boot":"this","firstMs":1790000000000,"believedMs":1e300}',
]) {
  it(`offsets are ignored if the file is ${JSON.stringify(text)}`, (t) => {
    const { directory, open } = memoryIn(t);
    writeFileSync(join(directory, 'clock.json'), text);
    assert.equal(open('this').load(), undefined);
  });
}

it('a failed write of the offsets is logged once', (t) => {
  const { log, open } = memoryIn(t, join(tmpdir(), 'firstlight-no-such-directory'));
  const memory = open('this');
  assert.equal(memory.load(), undefined);
  memory.save(OFFSETS);
  memory.save(OFFSETS);
  assert.equal(log.withMessage(/runtime directory is writable/).length, 1);
});
