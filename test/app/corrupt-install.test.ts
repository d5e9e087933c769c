/** A bundle with missing or truncated parts, as after an upgrade under a running process or on a failing disk. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { someOf } from '../repetitions.ts';
import { tempDir } from './agent-process.ts';
import { copyTo } from './corrupt-install-harness.ts';

describe('a start with a damaged bundle', () => {
  const damages: readonly [what: string, damage: (part: string) => void][] = [
    ['is gone', (part) => rmSync(part)],
    // In the middle of its first import: a cut between two statements leaves a shorter program, which Node runs.
    [
      'is torn',
      (part) => writeFileSync(part, readFileSync(part).subarray(0, readFileSync(part).indexOf('{') + 8)),
    ],
    ['is full of zeros', (part) => writeFileSync(part, Buffer.alloc(4096))],
  ];

  for (const [command, part] of [
    ['run', 'run-'],
    ['--version', 'program-'],
    ['sample', 'commands-'],
  ] as const)
    for (const [what, corrupt] of someOf(damages, 1))
      it(`prints one sentence without a stack if a part ${what}: ${command}`, async () => {
        await using place = await tempDir();
        const { main, code } = copyTo(join(place.path, 'program'));
        const name = readdirSync(code).find((each) => each.startsWith(part)) ?? '';
        corrupt(join(code, name));
        const { status, stdout, stderr } = spawnSync(process.execPath, [main, command], { encoding: 'utf8' });
        assert.equal(status, 72, stderr);
        assert.equal(stdout, '');
        assert.match(
          stderr,
          /^a program file of Firstlight is missing or damaged \(.+\): reinstall the package .*\n$/,
        );
      });
});
