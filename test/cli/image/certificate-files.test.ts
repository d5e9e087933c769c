/** `firstlight prepare-image --check` and `firstlight import` on an image with a CA file and a client certificate. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkImage } from '../../../src/cli/image/check-image.ts';
import { Authority, opensslProblem } from '../../doubles/certificates.ts';
import { ImportFixture } from './import-fixture.ts';

const CONFIG = '/etc/firstlight/firstlight.toml';
const [CA, CERT, KEY] = [
  '/etc/firstlight/ca.pem',
  '/etc/firstlight/client.pem',
  '/etc/credstore/firstlight.key',
];
const PASSED_KEY = '/run/credentials/firstlight.service/firstlight.key';
const FILES = `ca-file = "${CA}"\ncert-file = "${CERT}"\nkey-file = "${PASSED_KEY}"\n`;
const GROUP = 4711;

describe('the certificates of an image', { skip: opensslProblem }, () => {
  const authority = opensslProblem ? undefined : new Authority();
  const [own, other] = [authority?.issue(), authority?.issue()];
  after(() => authority?.[Symbol.dispose]());
  const [ca, cert, key] = [authority?.pem.cert ?? '', own?.cert ?? '', own?.key ?? ''];

  /** An image with all three files in their places. */
  class Image implements Disposable {
    readonly root = mkdtempSync(join(tmpdir(), 'firstlight-image-'));

    constructor() {
      const enabled = '/etc/systemd/system/multi-user.target.wants/firstlight.service';
      mkdirSync(join(this.root, dirname(enabled)), { recursive: true });
      symlinkSync('/usr/lib/systemd/system/firstlight.service', join(this.root, enabled));
      this.put('/etc/machine-id', '').put('/etc/credstore/firstlight.secret', 'image-secret-4711');
      this.configure(FILES).put(CA, ca, 0o644).put(CERT, cert, 0o644).put(KEY, key);
    }

    configure(files: string, url = '["https://h", "https://i"]'): this {
      return this.put(CONFIG, `[server]\nurl = ${url}\n${files}[provisioning]\nkey = "k"\n`, 0o644);
    }

    put(path: string, text: string, mode = 0o600): this {
      mkdirSync(join(this.root, dirname(path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
      return this.mode(path, mode);
    }

    mode(path: string, mode: number): this {
      chmodSync(join(this.root, path), mode);
      return this;
    }

    link(target: string, path: string): this {
      symlinkSync(target, join(this.root, path));
      return this;
    }

    remove(path: string): this {
      rmSync(join(this.root, path));
      return this;
    }

    /** The problems, without the verdict at the end. */
    check(): readonly string[] {
      const written: string[] = [];
      const code = checkImage({ root: this.root }, { write: (text) => written.push(text) });
      const output = written.join('');
      const problems = output.trimEnd().split('\n').slice(0, -1);
      assert.equal(code === 0, problems.length === 0, output);
      assert.doesNotMatch(output, /PRIVATE KEY/);
      return problems;
    }

    [Symbol.dispose](): void {
      rmSync(this.root, { recursive: true, force: true });
    }
  }

  it('are accepted in their places, and read from the image and not from this host', () => {
    using image = new Image();
    assert.deepEqual(image.check(), []);
  });

  const CASES: Readonly<Record<string, readonly [(image: Image) => unknown, RegExp]>> = {
    'a key that is not there': [
      (image) => image.remove(KEY),
      /server\.key-file names \/run\/credentials\/firstlight\.service\/firstlight\.key, which does not exist; store the file as \/etc\/credstore\/firstlight\.key \(owner root, mode 0600\)/,
    ],
    'no setting for the key': [
      (image) => image.configure(FILES.replace(/key-file.*\n/, '')),
      /server\.key-file is missing, but server\.cert-file is set.*example: key-file = "\/run\/credentials/,
    ],
    'the key of another certificate': [
      (image) => image.put(KEY, other?.key ?? ''),
      /server\.key-file names .*firstlight\.key, which is not the key of the certificate in \/etc\/firstlight\/client\.pem; set cert-file and key-file to one pair/,
    ],
    'a key that its group can read': [
      (image) => image.mode(KEY, 0o640),
      /server\.key-file = "\/run.*": \/etc\/credstore\/firstlight\.key has mode 0640.*run: chown root: \/etc\/credstore\/firstlight\.key && chmod 600 \/etc\/credstore\/firstlight\.key/,
    ],
    'a key beside the certificate': [
      (image) =>
        image
          .put('/etc/firstlight/client.key', key)
          .configure(FILES.replace(PASSED_KEY, '/etc/firstlight/client.key')),
      /server\.key-file = "\/etc\/firstlight\/client\.key": it has mode 0600.*move it to \/etc\/credstore\/firstlight\.key .* set key-file = "\/run/,
    ],
    'a CA file that is not there': [
      (image) => image.remove(CA),
      /server\.ca-file names \/etc\/firstlight\/ca\.pem, which does not exist/,
    ],
    'a CA file for root only': [
      (image) => image.mode(CA, 0o600),
      /server\.ca-file = "\/etc\/firstlight\/ca\.pem": it has mode 0600.*the service cannot read it; run: chmod 644 \/etc\/firstlight\/ca\.pem/,
    ],
    'a CA file in a closed directory': [
      (image) =>
        image.mode('/etc/firstlight', 0o700).configure(FILES.replace(/cert-file.*\nkey-file.*\n/, '')),
      /server\.ca-file = .*: the service cannot enter \/etc\/firstlight; run: chmod a\+x \/etc\/firstlight/,
    ],
    'a certificate in a home directory': [
      (image) =>
        image.put('/home/pi/client.pem', cert, 0o644).configure(FILES.replace(CERT, '/home/pi/client.pem')),
      /server\.cert-file = "\/home\/pi\/client\.pem": the service cannot see this directory; move the file to \/etc\/firstlight/,
    ],
    'a certificate that is a link to a home directory': [
      (image) => image.put('/home/pi/client.pem', cert, 0o644).remove(CERT).link('/home/pi/client.pem', CERT),
      /server\.cert-file = "\/etc\/firstlight\/client\.pem": the service cannot see this directory/,
    ],
    'a CA file that is a link into a closed directory': [
      (image) =>
        image
          .put('/data/tls/ca.pem', ca, 0o644)
          .mode('/data/tls', 0o700)
          .remove(CA)
          .link('/data/tls/ca.pem', CA),
      /server\.ca-file = .*: the service cannot enter \/data\/tls; run: chmod a\+x \/data\/tls/,
    ],
    'one certificate as the credentials of all clones': [
      (image) => image.configure(FILES, '"coaps://h"'),
      /server\.cert-file is the credentials of the device, so every clone would be the same device/,
    ],
  };
  for (const [what, [spoil, expected]] of Object.entries(CASES))
    it(`with ${what} are refused, for that reason only`, () => {
      using image = new Image();
      spoil(image);
      const [problem = 'none', ...others] = image.check();
      assert.match(problem, expected);
      assert.deepEqual(others, []);
    });

  it('may have a key outside of the credential store that only the service can read', {
    skip: process.getuid?.() === 0 ? false : 'only root can change owners',
  }, () => {
    using image = new Image();
    const path = '/etc/firstlight/client.key';
    image.put('/etc/group', `root:x:0:\nfirstlight:x:${GROUP}:\n`).put(path, key, 0o640);
    image.configure(FILES.replace(PASSED_KEY, path));
    assert.equal(image.check().length, 1);
    chownSync(join(image.root, path), 0, GROUP);
    assert.deepEqual(image.check(), []);
    image.mode(path, 0o644);
    assert.equal(image.check().length, 1);
  });

  it('are found by an import, with a key that systemd passes to the service only later', () => {
    using fixture = new ImportFixture();
    const [certFile, credentials] = [own?.certFile ?? '', join(fixture.root, 'passed')];
    const files = `cert-file = "${certFile}"\nkey-file = "${PASSED_KEY}"\n`;
    fixture.put(`[server]\nurl = "https://h"\n${files}[provisioning]\nkey = "k"\nsecret = "hush"\n`);
    mkdirSync(credentials);
    const environment = { CREDENTIALS_DIRECTORY: credentials };
    assert.equal(fixture.import(environment).code, 78);
    assert.match(fixture.digest ?? '', /store the file as \/etc\/credstore\/firstlight\.key/);
    writeFileSync(join(credentials, 'firstlight.key'), key, { mode: 0o600 });
    assert.equal(fixture.import(environment).code, 0, fixture.digest);
    assert.match(fixture.config ?? '', /key-file = "\/run\/credentials/);
  });

  it('beside an imported file are moved to their places, also if a power cut interrupted their removal', () => {
    using fixture = new ImportFixture();
    const beside = (name: string) => join(fixture.boot, name);
    const lines = [
      ['ca-file', 'ca.pem'],
      ['cert-file', 'client.pem'],
      ['key-file', 'client.key'],
    ];
    const files = lines.map(([setting, name]) => `${setting} = "${beside(name ?? '')}"  # mine\n`).join('');
    const text = `[server]\nurl = "coaps://h"\n${files}`;
    const put = () => fixture.put(text).put(ca, 'ca.pem').put(cert, 'client.pem').put(key, 'client.key');
    const places = [
      [join(fixture.etc, 'boot-ca.pem'), ca, '644'],
      [join(fixture.etc, 'boot-client.pem'), cert, '644'],
      [join(fixture.credstore, 'firstlight.key'), key, '600'],
    ] as const;
    const expectMoved = () => {
      for (const [path, content, mode] of places)
        assert.deepEqual([fixture.read(path), fixture.mode(path)], [content, mode]);
      const { config = '' } = fixture;
      assert.match(
        config,
        /ca-file = ".*\/boot-ca\.pem" {2}# mine\ncert-file = ".*\/boot-client\.pem" {2}# mine\n/,
      );
      assert.match(
        config,
        /key-file = "\/run\/credentials\/firstlight\.service\/firstlight\.key" {2}# mine\n/,
      );
      assert.deepEqual(readdirSync(fixture.boot), []);
    };
    const first = put().import();
    assert.equal(first.code, 0, first.output);
    assert.doesNotMatch(first.output, /PRIVATE KEY|readable by every user/);
    expectMoved();
    // The key was erased, the issuers are gone, and the others are still there.
    put().put('# firstlight: done\n', 'client.key');
    rmSync(beside('ca.pem'));
    assert.equal(fixture.import().code, 0, fixture.digest);
    expectMoved();
    assert.equal(
      put()
        .put(other?.key ?? '', 'client.key')
        .import().code,
      78,
    );
    assert.match(
      fixture.digest ?? '',
      /server\.key-file names .*client\.key, which is not the key of the certificate/,
    );
    assert.equal(fixture.secret('firstlight.key'), key);
  });
});
