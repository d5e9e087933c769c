/** `firstlight prepare-image --check` on the tree of a mounted image. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkImage } from '../../../src/cli/image/check-image.ts';

const SECRET = 'image-secret-4711';
const PAIR = '[server]\nurl = "coap://h"\n[provisioning]\nkey = "k"\n';
const CONFIG = '/etc/firstlight/firstlight.toml';
const ENABLED = '/etc/systemd/system/multi-user.target.wants/firstlight.service';

/** A clean image, to which each test adds a problem. */
class Image implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'firstlight-image-'));

  constructor() {
    this.put(CONFIG, PAIR).put('/etc/credstore/firstlight.secret', SECRET).put('/etc/machine-id', '');
    this.link('/usr/lib/systemd/system/firstlight.service', ENABLED);
    this.link('private/firstlight', '/var/lib/firstlight');
    mkdirSync(join(this.root, '/var/lib/private/firstlight'), { recursive: true });
  }

  put(path: string, text: string): this {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode: 0o600 });
    return this;
  }

  link(target: string, path: string): this {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    symlinkSync(target, join(this.root, path));
    return this;
  }

  without(path: string): this {
    rmSync(join(this.root, path), { recursive: true });
    return this;
  }

  check(): { readonly code: number; readonly output: string } {
    const output: string[] = [];
    const code = checkImage({ root: this.root }, { write: (text) => output.push(text) });
    return { code, output: output.join('') };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

test('an image with configuration, secret and enabled service is clean', () => {
  using image = new Image();
  const { code, output } = image.check();
  assert.equal(code, 0, output);
  assert.equal(output, `${image.root} is ready to be cloned\n`);
});

const STATE = '/var/lib/private/firstlight';
const PROBLEM_CASES: Readonly<Record<string, readonly [(image: Image) => unknown, RegExp]>> = {
  'credentials of a dynamic user': [
    (image) => image.put(`${STATE}/credentials.json`, '{}'),
    /private\/firstlight\/credentials\.json: credentials/,
  ],
  'a backup alone': [
    (image) => image.put(`${STATE}/credentials.backup.json`, '{}'),
    /credentials\.backup\.json/,
  ],
  'credentials in a directory of its own': [
    (image) => image.without('/var/lib/firstlight').put('/var/lib/firstlight/credentials.json', '{}'),
    /^\/var\/lib\/firstlight\/credentials\.json/m,
  ],
  'settings of the server': [
    (image) => image.put(`${STATE}/remote-settings.json`, '{}'),
    /remote-settings\.json: settings or an update that the server made for this gateway/,
  ],
  'an assigned update': [
    (image) => image.put(`${STATE}/update/record.json`, '{}'),
    /update: settings or an update that the server made for this gateway/,
  ],
  'a spool': [(image) => image.put(`${STATE}/spool/1`, 'x'), /spool: queued readings of this gateway/],
  'no configuration': [
    (image) => image.without(CONFIG).without('/etc/credstore/firstlight.secret'),
    /firstlight\.toml: does not exist/,
  ],
  'a wrong configuration': [
    (image) => image.put(CONFIG, `${PAIR}foo = 1\n`),
    /:5: provisioning\.foo is not a Firstlight key/,
  ],
  'no secret': [(image) => image.without('/etc/credstore/firstlight.secret'), /secret-file is missing/],
  'no way in at all': [
    (image) => image.put(CONFIG, '[server]\nurl = "coap://h"\n').without('/etc/credstore/firstlight.secret'),
    /no provisioning key, so no clone could provision/,
  ],
  'a fixed token': [
    (image) => image.put('/etc/credstore/firstlight.token', 'tok'),
    /fixed access token.*every clone would be the same device/,
  ],
  'one name for all': [
    (image) => image.put(CONFIG, `${PAIR}[device]\nname = "gw"\n`),
    /device\.name is the same for every clone/,
  ],
  'a forgotten secret': [
    (image) =>
      image
        .without('/etc/credstore/firstlight.secret')
        .put(CONFIG, `${PAIR}secret-file = "/etc/firstlight/gone"\nafter-success = "forget"\n`),
    /etc\/firstlight\/gone: the provisioning secret was deleted/,
  ],
  'a service that is not enabled': [
    (image) => image.without(ENABLED),
    /not enabled: no clone would start it/,
  ],
  'a service that is masked': [
    (image) => image.link('/dev/null', '/etc/systemd/system/firstlight.service'),
    /masked/,
  ],
  'a machine-id': [(image) => image.put('/etc/machine-id', 'f00\n'), /machine-id is not empty/],
  'a file for the import': [
    (image) => image.put('/boot/firmware/firstlight.toml', PAIR),
    /boot\/firmware\/firstlight\.toml is still on the boot partition/,
  ],
  'a note of a refused import': [
    (image) => image.put('/boot/firstlight-error.txt', 'x'),
    /boot\/firstlight-error\.txt reports a rejected import/,
  ],
};

for (const [name, [addProblem, expected]] of Object.entries(PROBLEM_CASES)) {
  test(`an image with ${name} is not clean, for that reason only`, () => {
    using image = new Image();
    addProblem(image);
    const { code, output } = image.check();
    assert.equal(code, 1, output);
    assert.match(output, expected);
    assert.ok(!output.includes(SECRET));
    assert.equal(
      output
        .trimEnd()
        .split('\n')
        .filter((line) => !/^(#|\[|url)/.test(line)).length,
      2,
      output,
    );
  });
}

test('all problems of an image are reported at once', () => {
  using image = new Image();
  image.put(`${STATE}/credentials.json`, '{}').put('/etc/machine-id', 'f00').without(ENABLED);
  assert.equal(image.check().output.split('\n').length, 5);
});

test('a secret file is read from the image, not from this host', () => {
  using image = new Image();
  image.without('/etc/credstore/firstlight.secret');
  image.put(CONFIG, `${PAIR}secret-file = "/etc/firstlight/only-in-the-image"\n`);
  assert.equal(image.check().code, 1);
  image.put('/etc/firstlight/only-in-the-image', SECRET);
  assert.equal(image.check().code, 0, image.check().output);
});

test('an imported configuration in the image is checked, too', () => {
  using image = new Image();
  image.put(CONFIG, '# nothing set\n').without('/etc/credstore/firstlight.secret');
  const imported = '/etc/firstlight/conf.d/00-boot.toml';
  image.put(imported, `${PAIR}secret-file = "/etc/firstlight/only-in-the-image"\n`);
  assert.match(image.check().output, /etc\/firstlight\/conf\.d\/00-boot\.toml/);
  image.put('/etc/firstlight/only-in-the-image', SECRET);
  assert.equal(image.check().code, 0, image.check().output);
});

test('links in the image are followed in the image, not on this host', () => {
  using image = new Image();
  // On a data partition, as where the root is read-only.
  image.without('/var/lib/firstlight').link('/data/state', '/var/lib/firstlight');
  image.without('/etc/machine-id').link('../data/../../machine-id', '/etc/machine-id');
  for (const path of [CONFIG, '/etc/credstore']) {
    image.without(path).link(`/data/${basename(path)}`, path);
  }
  image.put('/data/firstlight.toml', PAIR).put('/data/secret', SECRET);
  image.link('/data/secret', '/data/credstore/firstlight.secret');
  image.without(dirname(ENABLED)).link('/data/wants', dirname(ENABLED));
  image.link('/usr/lib/systemd/system/firstlight.service', '/data/wants/firstlight.service');
  assert.equal(image.check().code, 0, image.check().output);
  image.put('/data/state/credentials.json', '{}').put('/machine-id', 'f00\n');
  image.put('/data/firstlight.toml', `${PAIR}foo = 1\n`);
  assert.deepEqual(
    image
      .check()
      .output.split('\n')
      .map((line) => line.split(':', 1)[0]),
    [
      '/var/lib/firstlight/credentials.json',
      CONFIG,
      '/etc/machine-id is not empty',
      `${image.root} is not ready to be cloned`,
      '',
    ],
  );
  image.without('/data/state').link('/var/lib/firstlight', '/data/state');
  assert.match(image.check().output, /^\/var\/lib\/firstlight cannot be read/m);
});

test('traces of the host are listed with their paths and are no problem', () => {
  using image = new Image();
  image
    .put('/etc/ssh/ssh_host_rsa_key', 'x')
    .put('/var/lib/systemd/random-seed', 'x')
    .put('/etc/hostname', 'pi\n');
  const { code, output } = image.check();
  assert.equal(code, 0);
  for (const part of ['/etc/ssh/ssh_host_rsa_key', '/var/lib/systemd/random-seed', '/etc/hostname']) {
    assert.match(output, new RegExp(`also consider: .*${part}`));
  }
});

test('a directory that is not the root of a system is not clean', () => {
  const output: string[] = [];
  assert.equal(checkImage({ root: '/proc' }, { write: (text) => output.push(text) }), 1);
  assert.match(output.join(''), /is not the root of a system/);
});
