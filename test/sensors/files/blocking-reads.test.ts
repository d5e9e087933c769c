/**
 * Reads that hang, on real pipes: the number of threads they occupy together, and that a second read occupies
 * none.
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { openBlockingReads } from '../../../src/sensors/files/blocking-reads.ts';
import { createHungFiles } from '../helpers/hung-files.ts';

const timeout = 20_000;

it('devices, custom files and mounts share two threads', {
  timeout,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 2);
  const file = join(folder, 'file');
  writeFileSync(file, '7\n8\n');
  const reads = openBlockingReads();
  const completed: string[] = [];
  const record = async (name: string, read: Promise<unknown>) => {
    await read;
    completed.push(name);
  };
  const hung = ['hung0', 'hung1'].map((name) => reads.text(join(folder, name)));
  const later = [record('line', reads.firstLine(file)), record('usage', reads.usage(folder))];
  // Reads outside the two threads complete meanwhile, although they cross the pool more often.
  for (let round = 0; round < 5; round += 1) assert.equal(await readFile(file, 'utf8'), '7\n8\n');
  assert.deepEqual(completed, []);
  release();
  assert.deepEqual(await Promise.all(hung), ['at last\n', 'at last\n']);
  await Promise.all(later);
  assert.deepEqual(completed.toSorted(), ['line', 'usage']);
  assert.equal(await reads.firstLine(file), '7');
});

it('a hung file occupies one thread, however often it is read', {
  timeout,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 1);
  const file = join(folder, 'file');
  writeFileSync(file, '7\n');
  const reads = openBlockingReads();
  const hung = Array.from({ length: 5 }, () => reads.text(join(folder, 'hung0')));
  assert.equal(await reads.text(file), '7\n');
  release();
  assert.deepEqual([...new Set(await Promise.all(hung))], ['at last\n']);
  writeFileSync(file, '8\n');
  assert.equal(await reads.text(file), '8\n', 'a completed read is repeated');
});
