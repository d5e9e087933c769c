/** `firstlight import` killed at each system call, and on a real FAT file system. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runInLanes } from '../../power/experiment.ts';
import { stride } from '../../repetitions.ts';
import { ImportFixture } from './import-fixture.ts';

const SECRET = 'p-secret-51c0ffee';
const OLD = '[server]\nurl = "coap://old"\n';
const TOML = `[server]\nurl = "coap://tb.example.com"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n# ${'x'.repeat(600)}\n`;

/** A different tenth of the calls each day, all in the slow tier; test/image/import-file.test.ts covers every operation each time. */
const STRIDE = stride(10);

function fixtureWithImport(): ImportFixture {
  const fixture = new ImportFixture().put(TOML).put('of yesterday', 'firstlight-error.txt');
  mkdirSync(dirname(fixture.configFile), { recursive: true });
  writeFileSync(fixture.configFile, OLD);
  return fixture;
}

function calls(log: string): readonly string[] {
  return readFileSync(log, 'utf8').trimEnd().split('\n');
}

test('an import after a kill at any system call ends as without the kill', {
  timeout: 600_000,
}, async () => {
  const logs = mkdtempSync(join(tmpdir(), 'firstlight-kills-'));
  try {
    using completeRun = fixtureWithImport();
    const { code, output } = await completeRun.process(undefined, join(logs, 'all'));
    assert.equal(code, 0, output);
    const all = calls(join(logs, 'all'));
    assert.ok(all.length > 30, all.join('\n'));
    const today = Math.floor(Date.now() / 86_400_000);
    const instants = all.map((_, index) => index + 1).filter((at) => at % STRIDE === today % STRIDE);
    await runInLanes(2, instants, async (at) => {
      using fixture = fixtureWithImport();
      const log = join(logs, String(at));
      assert.equal((await fixture.process(at, log)).code, null, `it was not killed at ${at}`);
      const where = `killed before ${at}: ${calls(log).at(-1)}`;
      const imported = completeRun.config?.replace(completeRun.root, fixture.root);
      assert.ok(fixture.config === OLD || fixture.config === imported, where);
      assert.ok(
        fixture.read(fixture.source) === TOML || fixture.secret('firstlight.secret') === SECRET,
        where,
      );
      assert.ok([0, 66].includes(fixture.import().code ?? -1), where);
      assert.equal(fixture.config, imported, where);
      assert.equal(fixture.secret('firstlight.secret'), SECRET, where);
      const summary = (files: readonly string[]) => files.map((name) => name.replace(/\d{4}-.*Z/, 'DATE'));
      assert.deepEqual(summary(fixture.files), summary(completeRun.files), where);
    });
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
});

/** A FAT file system in a file, mounted by the kernel or by a program; or the reason why there is none. */
function fat():
  | (Disposable & { readonly image: string; readonly path: string; readonly isKernels: boolean })
  | string {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-fat-'));
  const [image, path] = [join(directory, 'image'), join(directory, 'mounted')];
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const ran = (command: string, ...given: string[]) =>
    spawnSync(command, given, { stdio: 'ignore' }).status === 0;
  writeFileSync(image, '');
  truncateSync(image, 16 * 2 ** 20);
  mkdirSync(path);
  if (!ran('mkfs.vfat', image)) {
    remove();
    return 'mkfs.vfat is missing (package dosfstools)';
  }
  const isKernels = ran('mount', '-t', 'vfat', '-o', 'loop', image, path);
  if (!isKernels && !ran('fusefat', '-o', 'rw+', image, path)) {
    remove();
    return 'the kernel knows no vfat, and fusefat is missing';
  }
  return {
    image,
    path,
    isKernels,
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', path], { stdio: 'ignore' });
      remove();
    },
  };
}

test('an import erases the secret from a real FAT partition', (t) => {
  const card = fat();
  if (typeof card === 'string') return t.skip(card);
  using _card = card;
  using fixture = new ImportFixture(card.path);
  const holdsSecret = () => {
    execFileSync('sync');
    return readFileSync(card.image).includes(SECRET);
  };
  fixture.put(TOML.replace('coap:', 'mqtt:'));
  assert.equal(fixture.import().code, 78);
  assert.match(fixture.digest ?? '', /Line 2: server\.url/);
  fixture.put(TOML);
  assert.ok(holdsSecret(), 'the test can find the secret');
  assert.equal(fixture.import().code, 0);
  assert.equal(fixture.digest, undefined);
  execFileSync('umount', [card.path]);
  assert.ok(!holdsSecret());
  // fusefat always leaves a file system that fsck rejects.
  if (card.isKernels) execFileSync('fsck.vfat', ['-n', card.image], { stdio: 'ignore' });
});
