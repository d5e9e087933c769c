/** The unit as systemd itself judges it: no key it does not know, and an exposure that a test holds down. */

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
/** Tenths, as --threshold has it. */
const EXPOSURE_MAX = '15';
/** What systemd 254 made known; an older one says that it ignores it. */
const OF_254 = /RestartSteps|RestartMaxDelaySec|ImportCredential|notify-reload/;

test('the exposure that systemd-analyze computes is 1.5 at most', { skip }, () => {
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

test('systemd-analyze verify has nothing to say about the unit, but what is too new for it', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-unit-'));
  try {
    const file = join(directory, 'firstlight.service');
    copyFileSync(UNIT, file);
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    const messages = stderr.split('\n').filter((line) => line.includes('firstlight.service'));
    // Node may be elsewhere on the machine that tests.
    const relevant = messages.filter((line) => !/Command \/usr\/bin\/node is not executable/.test(line));
    assert.deepEqual(
      relevant.filter((line) => version >= 254 || !OF_254.test(line)),
      [],
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('nothing ends the agent for good, and it waits for neither network nor time', () => {
  const settings = text.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
  const of = (key: string) => settings.filter((line) => line.startsWith(`${key}=`));
  assert.deepEqual(of('Restart'), ['Restart=always']);
  assert.deepEqual(of('StartLimitIntervalSec'), ['StartLimitIntervalSec=0']);
  for (const key of ['RestartPreventExitStatus', 'After', 'Wants', 'Requires', 'BindsTo'])
    assert.deepEqual(of(key), []);
});

test('the directives that cannot be had are named with their reason', () => {
  for (const key of [
    'MemoryDenyWriteExecute',
    'ProtectProc',
    'ProcSubset',
    'ProtectHostname',
    'PrivateNetwork',
  ])
    assert.match(text, new RegExp(`^# .*\\b${key}\\b.*: `, 'm'), key);
});
