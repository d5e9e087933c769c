/** `firstlight import` on real files: what it imports, what it rejects, and the resulting files. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { SENSOR_NAMES } from '../../../src/app/paths.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ImportFixture } from './import-fixture.ts';

const SECRET = 'p-secret-51c0ffee';
const TOML = `# ours\n[server]\nurl = "coap://tb.example.com"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;
const TOKEN = '[server]\nurl = "coap://tb.example.com"\n[device]\ntoken = "T0KEN-9a8b7c"\n';

test('a valid file becomes a public configuration and a secret for root only', async () => {
  using fixture = new ImportFixture();
  const { code, output } = await fixture.put(TOML).process();
  assert.equal(code, 0, output);
  assert.deepEqual(fixture.files, ['credstore/firstlight.secret', 'etc/conf.d/00-boot.toml']);
  assert.equal(fixture.secret('firstlight.secret'), SECRET);
  assert.equal(fixture.mode(join(fixture.credstore, 'firstlight.secret')), '600');
  assert.equal(fixture.mode(fixture.credstore), '700');
  assert.equal(fixture.mode(fixture.configFile), '644');
  assert.equal(fixture.mode(fixture.etc), '755');
  assert.match(
    fixture.config ?? '',
    /^# ours\n\[server\]\nurl = "coap:\/\/tb\.example\.com"\n\[provisioning\]\nkey = "k"\n# secret: moved to /,
  );
  assert.ok(!`${fixture.config}${output}`.includes(SECRET));
  assert.deepEqual(readdirSync(fixture.scratch), []);
});

test('a file from a Windows or old Mac editor is imported', () => {
  const crlf = TOML.replaceAll('\n', '\r\n');
  const big = Buffer.from(`\uFEFF${crlf}`, 'utf16le').swap16();
  const forms = {
    'line ends of Windows': crlf,
    'line ends of old Macs': TOML.replaceAll('\n', '\r'),
    'UTF-8 with a mark': `\uFEFF${crlf}`,
    'Notepad, Unicode': Buffer.from(`\uFEFF${crlf}`, 'utf16le'),
    'Notepad, Unicode big endian': big,
  };
  for (const [name, content] of Object.entries(forms)) {
    using fixture = new ImportFixture();
    const { code, output } = fixture.put(content).import();
    assert.equal(code, 0, `${name}: ${output}`);
    assert.equal(fixture.secret('firstlight.secret'), SECRET, name);
    assert.ok(!fixture.config?.includes('\r'), name);
  }
});

test('an empty, damaged or wrongly encoded file is rejected with the remedy', () => {
  const forms: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ['', /is empty/],
    ['\r\n \r\n', /is empty/],
    [Buffer.alloc(700), /only zeros.*eject/],
    [Buffer.concat([Buffer.from(TOML), Buffer.alloc(50)]), /contains zeros.*eject/],
    [Buffer.from(TOML, 'utf16le'), /UTF-16 text without a byte order mark; save it as UTF-8/],
    [Buffer.from('[server]\n# Gerät\n', 'latin1'), /Line 2: .*not UTF-8; save it as UTF-8 \(in Notepad/],
    [`# ${'x'.repeat(300_000)}`, /larger than 256 KiB/],
    [TOML.replace('"k"', '\u201ck\u201d'), /Line 5: contains curly quotes/],
  ];
  for (const [content, expected] of forms) {
    using fixture = new ImportFixture();
    const { code } = fixture.put(content).import();
    assert.equal(code, 78, String(expected));
    assert.match(fixture.digest ?? '', expected);
    assert.deepEqual(fixture.files, ['boot/firstlight-error.txt', 'boot/firstlight.toml'], String(expected));
  }
});

test('an invalid file stays with a note of all problems; a valid one removes the note', async () => {
  using fixture = new ImportFixture();
  const wrong = TOML.replace('coap:', 'mqtt:')
    .replace('# ours', '#\n[log]\nlevel = "loud"\nfoo = 1')
    .replace('"k"', '17');
  const { code, output } = await fixture.put(wrong).process();
  assert.equal(code, 78);
  assert.equal(fixture.read(fixture.source), wrong);
  const note = fixture.digest ?? '';
  for (const part of [
    'Line 3: log.level',
    'Line 4: log.foo',
    'Line 6: server.url',
    'Line 8: provisioning.key',
    '4 problems',
  ]) {
    assert.ok(note.includes(part), `${part} in ${note}`);
  }
  assert.ok(note.split('\n').every((line) => line === '' || line.endsWith('\r')));
  assert.ok(![note, output].join().includes(SECRET));
  assert.ok(!note.includes('firstlight-import-'), 'the note names the scratch file');
  assert.deepEqual(fixture.files, ['boot/firstlight-error.txt', 'boot/firstlight.toml']);
  assert.equal(fixture.put(TOML).import().code, 0);
  assert.equal(fixture.digest, undefined);
});

test('a file without credentials is rejected unless systemd provides them', () => {
  const url = '[server]\nurl = "coap://tb.example.com"\n';
  using fixture = new ImportFixture();
  assert.equal(fixture.put(url).import().code, 78);
  assert.match(
    fixture.digest ?? '',
    /no provisioning key and no token: set provisioning\.key and provisioning\.secret/,
  );
  const credentials = join(fixture.root, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'firstlight.secret'), SECRET);
  const pair = `${url}[provisioning]\nkey = "k"\n`;
  assert.equal(fixture.put(pair).import().code, 78);
  assert.equal(fixture.import({ CREDENTIALS_DIRECTORY: credentials }).code, 0);
  assert.equal(fixture.config, pair);
  assert.equal(fixture.secret('firstlight.secret'), undefined);
});

test('a secret in any TOML notation is moved, and nothing else is lost', () => {
  const head = 'server.url = "coap://h"\n';
  const forms = [
    `${head}[provisioning]\nkey = 'k' # a comment\n"secret"='${SECRET}' # mine`,
    `${head}provisioning.key = "k"\nprovisioning . secret = "${SECRET}"\n`,
    `${head}provisioning = { key = "k", secret = "${SECRET}" }\n`,
    `${head}[provisioning]\nsecret = """\n${SECRET}"""\nkey = "k"\n`,
    `${head}[provisioning]\nsecret = "${SECRET.replace('p', '\\u0070')}"\nkey = "k"\n`,
    `${head}[provisioning]\nsecret = "${SECRET}"\nkey = "k"\n# it was ${SECRET}, I think\n`,
    `${head}[provisioning]\nkey = """k"""\nsecret = "${SECRET}"\n#secret = "${SECRET}"\n`,
  ];
  for (const form of forms) {
    using fixture = new ImportFixture();
    const { code, output } = fixture.put(form).import();
    assert.equal(code, 0, `${form}\n${output}`);
    assert.equal(fixture.secret('firstlight.secret'), SECRET, form);
    const config = fixture.config ?? '';
    assert.ok(!config.includes(SECRET), config);
    // A second import is complete, because systemd provides the secret.
    const { code: again } = fixture.put(config).import();
    assert.equal(again, 0, config);
    assert.equal(fixture.config, config);
    assert.match(config, /key\s*=\s*("|')+k/);
  }
});

test('a secret in a comment is not published', () => {
  using fixture = new ImportFixture();
  fixture.put(`${TOML}#secret = "last-years-secret"\n# token="another"\n`).import();
  assert.match(fixture.config ?? '', /#secret = …\n# token= …\n$/);
});

test('an edited configuration is backed up, and a second import changes nothing', () => {
  using fixture = new ImportFixture();
  const config = fixture.configFile;
  const directory = dirname(config);
  mkdirSync(directory, { recursive: true });
  writeFileSync(config, '# as the package brought it\n#url = "coap://x"\n');
  fixture.put(TOML).import();
  assert.deepEqual(readdirSync(directory), ['00-boot.toml']);
  writeFileSync(config, '[server]\nurl = "coap://edited"\n');
  chmodSync(config, 0o640);
  const { output } = fixture.put(TOML).import();
  const [backup = ''] = readdirSync(directory).filter((name) => name.endsWith('.bak'));
  assert.match(backup, /^00-boot\.toml\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.bak$/);
  assert.match(output, /the previous configuration was saved as/);
  assert.equal(fixture.read(join(directory, backup)), '[server]\nurl = "coap://edited"\n');
  assert.equal(fixture.mode(join(directory, backup)), '640');
  const before = fixture.files;
  assert.equal(fixture.put(TOML).import().code, 0);
  assert.deepEqual(fixture.files, before);
});

test('a fixed token replaces the provisioning secret of an earlier import', () => {
  using fixture = new ImportFixture();
  fixture.put(TOML).import();
  const { code, output } = fixture.put(TOKEN).import();
  assert.equal(code, 0);
  assert.equal(fixture.secret('firstlight.token'), 'T0KEN-9a8b7c');
  assert.equal(fixture.secret('firstlight.secret'), undefined);
  assert.match(output, /firstlight\.secret of the previous configuration was removed/);
  assert.ok(!output.includes('T0KEN-9a8b7c'));
  fixture.put(TOML).import();
  assert.equal(fixture.secret('firstlight.token'), undefined);
});

test('secrets of an earlier or interrupted import do not count for this file', () => {
  using fixture = new ImportFixture();
  fixture.put(TOKEN).import();
  writeFileSync(join(fixture.credstore, '.firstlight.secret.new'), SECRET);
  assert.equal(
    fixture.put(TOML.replace('key = "k"\n', '')).import().code,
    78,
    'the old token hid the missing key',
  );
  assert.match(fixture.digest ?? '', /provisioning\.key is missing/);
  fixture.put(TOKEN).import();
  assert.deepEqual(fixture.files, ['credstore/firstlight.token', 'etc/conf.d/00-boot.toml']);
});

test('a value that looks like a secret in a comment is kept', () => {
  using fixture = new ImportFixture();
  const { code } = fixture.put(TOML.replace('"k"', '"""\\\n#secret = k"""')).import();
  assert.equal(code, 0, fixture.digest);
  assert.match(fixture.config ?? '', /^key = "#secret = k"$/m);
});

test('a credential from SMBIOS takes precedence, with a warning', () => {
  using fixture = new ImportFixture();
  const credentials = join(fixture.root, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'firstlight.secret'), 'by-smbios');
  const { output } = fixture.put(TOML).import({ CREDENTIALS_DIRECTORY: credentials });
  assert.match(output, /a different firstlight\.secret \(from SMBIOS.*takes precedence/);
  assert.ok(!output.includes('by-smbios'));
});

test('existing drop-ins are loaded with the file, and their problems are reported', () => {
  using fixture = new ImportFixture();
  const dropIn = join(fixture.etc, 'conf.d', 'server.toml');
  mkdirSync(join(fixture.etc, 'conf.d'), { recursive: true });
  writeFileSync(dropIn, '[server]\nurl = "mqtt://h"\n');
  const pair = `[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;
  assert.equal(fixture.put(pair).import().code, 78);
  assert.ok(fixture.digest?.includes(`${dropIn}:2: server.url`), fixture.digest);
  writeFileSync(dropIn, '[server]\nurl = "coap://h"\n');
  assert.equal(fixture.put(pair).import().code, 0);
  assert.match(fixture.config ?? '', /^\[provisioning\]\nkey = "k"\n# secret: moved to/);
});

test('a file with a similar name is not imported, and a note explains it', () => {
  for (const name of ['firstlight.toml.txt', 'FIRSTLIGHT.TOML', 'firstlight.txt']) {
    using fixture = new ImportFixture();
    const { code } = fixture.put(TOML, name).import();
    assert.equal(code, 78, name);
    assert.match(fixture.digest ?? '', /its name must be firstlight\.toml, in lower case; rename it/);
    assert.equal(/Windows hides/.test(fixture.digest ?? ''), name.endsWith('.txt'));
    assert.equal(fixture.read(join(fixture.boot, name)), TOML);
    assert.ok(!existsSync(fixture.etc));
  }
});

test('a link, a directory and a missing file are not imported', () => {
  using fixture = new ImportFixture();
  assert.equal(fixture.import().code, 66);
  writeFileSync(join(fixture.root, 'elsewhere'), TOML);
  symlinkSync(join(fixture.root, 'elsewhere'), fixture.source);
  assert.equal(fixture.import().code, 78);
  assert.equal(fixture.read(join(fixture.root, 'elsewhere')), TOML);
  using other = new ImportFixture();
  mkdirSync(other.source);
  assert.equal(other.import().code, 78);
  assert.match(other.digest ?? '', /it is not a regular file/);
});

test('firstlight.toml stays unchanged, and the imported file overrides it', () => {
  using fixture = new ImportFixture();
  const main = join(fixture.etc, 'firstlight.toml');
  mkdirSync(fixture.etc);
  const ours = '[server]\nurl = "coap://of-the-image"\n[telemetry]\ninterval = "30s"\n';
  writeFileSync(main, ours);
  assert.equal(fixture.put(TOML).import().code, 0);
  assert.equal(fixture.read(main), ours);
  const { config } = loadConfig({
    file: main,
    fileRequired: true,
    environment: {},
    names: SENSOR_NAMES,
    credentialsDirectory: fixture.credstore,
  });
  assert.equal(config.telemetry.intervalMs, 30_000);
  assert.equal(config.server.endpoints[0].host, 'tb.example.com');
  writeFileSync(main, '[telemetry]\ninterval = "often"\n');
  assert.equal(fixture.put(TOML).import().code, 78);
  assert.ok(fixture.digest?.includes(`${main}:2: telemetry.interval`), fixture.digest);
});

const OWN = `[[sensor.exec]]
name = "boiler"
command = ["/usr/bin/boiler", "a \\"b\\"", ""]
keys = ["flow"]
[[sensor.file]]
name = "tank"
path = "/sys/tank"
scale = "0.5"
`;

for (const [how, toml] of [
  ['line by line', TOML + OWN],
  [
    'written anew',
    `server.url = "coap://tb.example.com"\nprovisioning = { key = "k", secret = "${SECRET}" }\n${OWN}`,
  ],
] as const) {
  test(`custom sensors survive an import, ${how}`, () => {
    using fixture = new ImportFixture();
    assert.equal(fixture.put(toml).import().code, 0);
    assert.equal(fixture.secret('firstlight.secret'), SECRET);
    assert.doesNotMatch(fixture.config ?? '', new RegExp(SECRET));
    const file = { fileRequired: false, environment: {}, names: SENSOR_NAMES };
    const { config } = loadConfig({
      ...file,
      file: fixture.configFile,
      credentialsDirectory: fixture.credstore,
    });
    assert.deepEqual(config.sensors.custom, [
      {
        kind: 'exec',
        name: 'boiler',
        command: ['/usr/bin/boiler', 'a "b"', ''],
        everyMs: 60_000,
        timeoutMs: 10_000,
        keys: ['flow'],
      },
      { kind: 'file', name: 'tank', path: '/sys/tank', everyMs: 10_000, scale: 0.5, offset: 0 },
    ]);
  });
}
