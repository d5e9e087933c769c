/** The command line: `run` is read twice, quickly for the service and by commander for everybody else, and means the same. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { EX_CONFIG, EX_USAGE } from '../../src/app/exit-codes.ts';
import { MAIN } from '../paths.ts';

function firstlight(...line: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env['PATH'] };
  return spawnSync(process.execPath, [MAIN, ...line], { encoding: 'utf8', env });
}

test('run takes its configuration in each form that commander knows', () => {
  for (const line of [
    ['--config', '/no/such.toml'],
    ['--config=/no/such.toml'],
    ['--state', '/x', '--config=/no/such.toml', '--'],
  ]) {
    const { status, stdout } = firstlight('run', ...line);
    assert.equal(status, EX_CONFIG, line.join(' '));
    assert.match(stdout, /\/no\/such\.toml/, line.join(' '));
  }
});

test('a mistake on the line of run is told in the words of the command line, and starts nothing', () => {
  const mistakes: [string[], RegExp][] = [
    [['--nope'], /unknown option '--nope'/],
    [['--config'], /argument missing/],
    [['extra'], /too many arguments/],
  ];
  for (const [line, words] of mistakes) {
    const { status, stdout, stderr } = firstlight('run', ...line);
    assert.equal(status, EX_USAGE, line.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, words);
  }
});

test('the help of run is there, and the agent is not started for it', () => {
  const { status, stdout } = firstlight('run', '--help');
  assert.equal(status, 0);
  assert.match(stdout, /--state <dir>/);
});
