/** The script that starts root's part of an update, with its places in a temporary directory and a stand-in for Node. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../app/agent-process.ts';

/** Ends like Node without the program, else prints the program. */
const NODE = '#!/bin/sh\n[ "$1" = --jitless ] && cat "$2"\n';

async function openHost(path: string) {
  const [installed, home] = [join(path, 'installed'), join(path, 'run')];
  const copy = join(home, 'program', 'firstlight.mjs');
  await mkdir(installed);
  await writeFile(join(path, 'node'), NODE, { mode: 0o755 });
  const script = (await readFile('scripts/package/install-update', 'utf8'))
    .replaceAll('/usr/bin/node', join(path, 'node'))
    .replaceAll('/usr/lib/firstlight', installed)
    .replaceAll('/var/lib/firstlight-update/run', home);
  return {
    copy,
    install: (version: string) => writeFile(join(installed, 'firstlight.mjs'), version),
    begin: () => writeFile(join(home, 'state.json'), '{}'),
    damage: () => rm(join(installed, 'firstlight.mjs')),
    run: () => {
      const { status, stdout } = spawnSync('sh', ['-c', script, 'sh'], { encoding: 'utf8' });
      return status === 0 ? stdout : `exit ${status}`;
    },
  };
}

test('an update runs from a copy of the program, which later ones of the version use, too', async () => {
  await using place = await tempDir();
  const host = await openHost(place.path);
  await host.install('old');
  assert.equal(host.run(), 'old');
  const { ino } = await stat(host.copy);
  assert.equal(host.run(), 'old');
  assert.equal((await stat(host.copy)).ino, ino, 'nothing is written again');
  await host.install('new');
  assert.equal(host.run(), 'new');
});

test('an unfinished update goes on with its copy, and with the installed program if that is damaged', async () => {
  await using place = await tempDir();
  const host = await openHost(place.path);
  await host.install('old');
  host.run();
  await host.begin();
  await host.install('new');
  assert.equal(host.run(), 'old');
  await rm(host.copy);
  assert.equal(host.run(), 'new');
  await host.damage();
  await rm(host.copy);
  assert.match(host.run(), /^exit [1-9]/, 'then the unit waits a minute');
});
