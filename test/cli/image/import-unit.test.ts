/** firstlight-import.service: verified by systemd, and compared with the needs of the program. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { CREDSTORE } from '../../../src/app/paths.ts';
import { BOOT_FILES, CONFIG_DIRECTORY } from '../../../src/cli/image/import-command.ts';
import { MAIN } from '../../paths.ts';

const UNIT = resolve('systemd/firstlight-import.service');
const text = readFileSync(UNIT, 'utf8');
/** Of 10. The end of the unit names the reasons for a value above 0. */
const EXPOSURE_MAX = 1.2;

function values(key: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** The version of systemd, or 0 without systemd. */
function systemdVersion(): number {
  const { stdout } = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
  return Number(/^systemd (\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

test('the import unit runs only with a file, before the agent, and is not required', () => {
  const conditions = values('ConditionPathExists');
  for (const file of BOOT_FILES) assert.ok(conditions.includes(`|${file}`), file);
  assert.ok(conditions.every((condition) => condition.startsWith('|')));
  assert.deepEqual(values('Before'), ['firstlight.service']);
  assert.deepEqual(values('WantedBy'), ['multi-user.target']);
  assert.ok(!/^Require(s|dBy)=/m.test(text));
  assert.ok(Number(values('TimeoutStartSec')[0]) <= 30);
});

test('the writable paths of the import unit are those that the program writes to', () => {
  const writable = values('ReadWritePaths')
    .join(' ')
    .split(' ')
    .map((path) => path.replace(/^-/, ''));
  assert.deepEqual(writable, [CONFIG_DIRECTORY, CREDSTORE, '/boot']);
  assert.deepEqual(values('ProtectSystem'), ['strict']);
  assert.deepEqual(values('CapabilityBoundingSet'), ['CAP_DAC_READ_SEARCH']);
});

test('the command line of the import unit works without V8 compilers', () => {
  const [, ...flags] = (values('ExecStart')[0] ?? '')
    .split(' ')
    .filter((part) => !part.startsWith('/usr/lib/'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags.slice(0, -1), MAIN, 'import', '--from', '/no/such/file'],
    { encoding: 'utf8' },
  );
  assert.match(stderr, /^(Warning: disabling flag --expose_wasm due to conflicting flags\n)?$/);
  assert.match(stdout, /there is nothing to import/);
  assert.equal(status, 66);
});

test('systemd verifies the import unit, and its exposure is low', (t) => {
  const version = systemdVersion();
  if (version === 0) return t.skip('systemd-analyze is missing');
  const verify = spawnSync('systemd-analyze', ['--man=no', 'verify', UNIT], { encoding: 'utf8' });
  const faults = verify.stderr
    .split('\n')
    .filter((line) => line.includes('firstlight-import'))
    .filter((line) => !(version < 254 && line.includes("Unknown key 'ImportCredential'")))
    .filter((line) => !/Command .* is not executable/.test(line));
  assert.deepEqual(faults, []);
  const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], {
    encoding: 'utf8',
  });
  const exposure = Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(security.stdout)?.[1] ?? Number.NaN);
  assert.ok(exposure <= EXPOSURE_MAX, `${exposure}\n${security.stdout}`);
});
