/** The unit file, checked by systemd-analyze, and directives that must not change. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const UNIT = 'systemd/firstlight.service';
const text = readFileSync(UNIT, 'utf8');
const version = Number(
  /^systemd (\d+)/.exec(spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
);
const skip = Number.isNaN(version) ? 'systemd-analyze is not installed' : false;
/** In tenths, as for --threshold. */
const EXPOSURE_MAX = '15';
/** New in systemd 253 and 254; older versions report that they ignore it. */
const NEW_IN_253_AND_254 = /OpenFile|RestartSteps|RestartMaxDelaySec|ImportCredential|notify-reload/;

test('systemd-analyze rates the exposure of the unit at 1.5 or less', { skip }, () => {
  const line = ['security', '--offline=true', `--threshold=${EXPOSURE_MAX}`, '--no-pager', UNIT];
  const { status, stdout } = spawnSync('systemd-analyze', line, { encoding: 'utf8' });
  assert.equal(
    status,
    0,
    stdout
      .split('\n')
      .filter((each) => /✗|Overall/.test(each))
      .join('\n'),
  );
});

test('systemd-analyze verify reports nothing but directives that are too new for it', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-unit-'));
  try {
    const file = join(directory, 'firstlight.service');
    copyFileSync(UNIT, file);
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    const messages = stderr.split('\n').filter((line) => line.includes('firstlight.service'));
    // Node may be in another directory on this machine.
    const relevant = messages.filter((line) => !/Command \/usr\/bin\/node is not executable/.test(line));
    assert.deepEqual(
      relevant.filter((line) => version >= 254 || !NEW_IN_253_AND_254.test(line)),
      [],
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('the unit always restarts the agent, and waits for neither network nor time', () => {
  const settings = text.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
  const of = (key: string) => settings.filter((line) => line.startsWith(`${key}=`));
  assert.deepEqual(of('Restart'), ['Restart=always']);
  assert.deepEqual(of('StartLimitIntervalSec'), ['StartLimitIntervalSec=0']);
  for (const key of ['RestartPreventExitStatus', 'After', 'Wants', 'Requires', 'BindsTo'])
    assert.deepEqual(of(key), []);
});

test('the unit names the directives that it cannot use, with their reasons', () => {
  for (const key of [
    'MemoryDenyWriteExecute',
    'ProtectProc',
    'ProcSubset',
    'ProtectHostname',
    'PrivateNetwork',
  ])
    assert.match(text, new RegExp(`^# .*\\b${key}\\b.*: `, 'm'), key);
});
