/** The command line of `run`, which main.ts parses without commander for the service: both parsers accept the same options. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { EX_CONFIG, EX_USAGE } from '../../src/app/exit-codes.ts';
import { MAIN } from '../paths.ts';

function firstlight(...line: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: process.env['PATH'] };
  return spawnSync(process.execPath, [MAIN, ...line], { encoding: 'utf8', env });
}

test('run accepts its options in every form that commander accepts', () => {
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

test('a usage error of run is reported by commander and starts no agent', () => {
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

test('run --help prints the help and starts no agent', () => {
  const { status, stdout } = firstlight('run', '--help');
  assert.equal(status, 0);
  assert.match(stdout, /--state <dir>/);
});
