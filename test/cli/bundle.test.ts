/** The bundle: one file that needs Node and nothing beside it, and is started the same way everywhere. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { NODE_FLAGS } from '../../src/cli/node-flags.ts';
import { VERSION } from '../../src/cli/version.ts';

const run = promisify(execFile);
const COMPILED = join(import.meta.dirname, '..', '..', 'src', 'main.js');
/** An empty directory far from any node_modules; the bundle is all there is in it. */
const alone = mkdtempSync(join(tmpdir(), 'firstlight-bundle-'));
const bundle = join(alone, 'firstlight.mjs');

before(async () => {
  const { stdout } = await run(process.execPath, ['scripts/bundle.mjs', '--outfile', bundle]);
  assert.match(stdout, /\d+ kB/, 'it says its size');
});

after(() => rmSync(alone, { recursive: true, force: true }));

function firstlight(...commandLine: string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [...NODE_FLAGS, bundle, ...commandLine], { cwd: alone });
}

test('the bundle alone knows its version', async () => {
  assert.equal((await firstlight('--version')).stdout.trim(), VERSION);
});

test('the bundle alone reads the sensors of this host', async () => {
  const { stdout, stderr } = await firstlight('sample', '--json');
  assert.equal(stderr, '');
  assert.equal(typeof JSON.parse(stdout).values.uptimeS, 'number');
});

test('the bundle alone provisions, stores its credentials, delivers, and stops without losing its last line', async () => {
  const { stdout } = await firstlight('demo', '--seconds', '4');
  assert.match(stdout, /provisioned: token stored/);
  assert.match(stdout, /first telemetry accepted/);
  assert.match(stdout, /firstlight stopped/);
});

test('what the bundle leaves out of systeminformation is not missed: it knows the same facts as the compiled program', async () => {
  const compiled = await run(process.execPath, [COMPILED, 'facts']);
  assert.deepEqual(JSON.parse((await firstlight('facts')).stdout), JSON.parse(compiled.stdout));
});

test('what the agent does not need is not in the bundle', () => {
  const bytes = readFileSync(bundle);
  for (const library of ['readable-stream/lib', 'ajv/dist', '@so-ric/colorspace', 'semver']) {
    assert.ok(!bytes.includes(`node_modules/${library}`), library);
  }
  assert.ok(
    bytes.every((byte) => byte < 128),
    'one character beyond ASCII, and V8 may keep the text at twice the size',
  );
});

test('the systemd unit starts node with the flags the demo uses', () => {
  const unit = readFileSync('systemd/firstlight.service', 'utf8');
  const command = /^ExecStart=(.+)$/m.exec(unit)?.[1];
  assert.equal(
    command,
    ['/usr/bin/node', ...NODE_FLAGS, '/usr/lib/firstlight/firstlight.mjs', 'run'].join(' '),
  );
});
