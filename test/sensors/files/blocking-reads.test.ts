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
  const slow = openBlockingReads();
  const answered: string[] = [];
  const noted = async (what: string, answer: Promise<unknown>) => {
    await answer;
    answered.push(what);
  };
  const hung = ['hung0', 'hung1'].map((name) => slow.text(join(folder, name)));
  const later = [noted('line', slow.firstLine(file)), noted('use', slow.usage(folder))];
  // What goes past the two is answered in the meantime; a file takes more steps through the pool than either of them.
  for (let round = 0; round < 5; round += 1) assert.equal(await readFile(file, 'utf8'), '7\n8\n');
  assert.deepEqual(answered, []);
  release();
  assert.deepEqual(await Promise.all(hung), ['at last\n', 'at last\n']);
  await Promise.all(later);
  assert.deepEqual(answered.toSorted(), ['line', 'use']);
  assert.equal(await slow.firstLine(file), '7');
});

it('a hung file occupies one thread, however often it is read', {
  timeout,
}, async (t) => {
  const { folder, release } = createHungFiles(t, 1);
  const file = join(folder, 'file');
  writeFileSync(file, '7\n');
  const slow = openBlockingReads();
  const hung = Array.from({ length: 5 }, () => slow.text(join(folder, 'hung0')));
  assert.equal(await slow.text(file), '7\n');
  release();
  assert.deepEqual([...new Set(await Promise.all(hung))], ['at last\n']);
  writeFileSync(file, '8\n');
  assert.equal(await slow.text(file), '8\n', 'what was answered is asked anew');
});
