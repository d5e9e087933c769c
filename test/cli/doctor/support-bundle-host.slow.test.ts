/** `firstlight doctor --bundle` on a difficult host: too large a capture, a user without permissions, a planted link. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chown, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';
import { COMPILED_MAIN } from '../../paths.ts';

const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const SECRET = 'the-secret-of-this-profile';
const TOKEN = 'tokenOfThisGateway12345';
const BYTES_MAX = 10_000_000;
/** 220 incompressible files of 64 KiB where the sensors read thermal zones. */
const LARGE_HOST = [
  'unshare',
  '-m',
  'sh',
  '-ec',
  [
    'mount -t tmpfs none /sys/class/thermal',
    'for i in $(seq 220); do mkdir /sys/class/thermal/thermal_zone$i; head -c 65536 /dev/urandom >/sys/class/thermal/thermal_zone$i/type; done',
    'exec "$0" "$@"',
  ].join('\n'),
];
const canMount =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/sys/class/thermal']).status === 0;
const isRoot = process.getuid?.() === 0;

async function host() {
  const place = await tempDir();
  const state = join(place.path, 'state');
  await mkdir(state, { mode: 0o700 });
  const record = `{"version":1,"state":"provisioned","server":"coap://127.0.0.1:9","deviceName":"gw","sinceMs":1,"token":"${TOKEN}"}`;
  await writeFile(join(state, 'credentials.backup.json'), record, { mode: 0o600 });
  const file = await place.config(
    `[server]\nurl = "coap://127.0.0.1:9"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`,
  );
  const bundle = join(place.path, 'bundle.tar.gz');
  return {
    path: place.path,
    state,
    file,
    bundle,
    async written(within: readonly string[] = []) {
      const places = ['--config', file, '--state', state, '--runtime', place.path];
      await using doctor = AgentProcess.run(
        ['doctor', '--bundle', bundle, ...places],
        {},
        within,
        COMPILED_MAIN,
      );
      assert.equal(await doctor.exit(), 0, doctor.output.join('\n'));
      return doctor.output.filter((line) => /^(included|omitted): /.test(line));
    },
    contents: () => spawnSync('tar', ['-xzOf', bundle], { encoding: 'latin1', maxBuffer: 1e8 }).stdout,
    names: () => spawnSync('tar', ['-tzf', bundle], { encoding: 'utf8', maxBuffer: 1e8 }).stdout.split('\n'),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

describe('a support bundle', () => {
  test('omits the capture if it would exceed 10 MB, and lists that', {
    timeout: 240_000,
    skip: canMount ? false : 'needs root, to mount',
  }, async () => {
    await using at = await host();
    const output = await at.written(LARGE_HOST);
    const why = 'omitted: host: the bundle would exceed 10 MB';
    assert.ok(output.includes(why), output.join('\n'));
    assert.ok((await stat(at.bundle)).size < BYTES_MAX);
    assert.ok(at.names().some((name) => name.endsWith('/doctor.txt')));
    assert.ok(!at.names().some((name) => name.includes('/host/')));
    assert.ok(at.contents().includes(why));
  });

  test('of a user without permissions lists the unsearched tokens and has all else', {
    timeout: 120_000,
    skip: isRoot ? false : 'needs root, to become somebody else',
  }, async () => {
    await using at = await host();
    for (const path of [at.path, at.file]) await chown(path, NOBODY, NOBODY);
    const output = await at.written(AS_NOBODY);
    assert.ok(
      output.includes(
        `omitted: the search for tokens in ${at.state}, which is not readable by this user: run with sudo`,
      ),
      output.join('\n'),
    );
    const { uid, mode } = await stat(at.bundle);
    assert.deepEqual([uid, mode & 0o777], [NOBODY, 0o600]);
    for (const name of ['doctor.txt', 'status.json', 'config.txt', 'versions.txt', 'host/'])
      assert.ok(
        output.some((line) => line.startsWith(`included: ${name}`)),
        name,
      );
    for (const secret of [SECRET, TOKEN]) assert.ok(!at.contents().includes(secret));
  });

  test('names a planted link as the reason, not the permissions', { timeout: 120_000 }, async () => {
    await using at = await host();
    const planted = join(at.state, 'credentials.json');
    await symlink('/etc/shadow', planted);
    const output = await at.written();
    const about = output.filter((line) => line.includes('the search for tokens'));
    assert.deepEqual(about, [
      `omitted: the search for tokens in ${planted}, which is not a regular file and was not read`,
    ]);
    assert.ok(!at.contents().includes(TOKEN));
  });
});
