/** `firstlight import` on real files: what it takes, what it refuses, and where everything is afterwards. */

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { SENSOR_NAMES } from '../../../src/app/sensor-names.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ImportDesk } from './import-fixture.ts';

const SECRET = 'p-secret-51c0ffee';
const TOML = `# ours\n[server]\nurl = "coap://tb.example.com"\n[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;
const TOKEN = '[server]\nurl = "coap://tb.example.com"\n[device]\ntoken = "T0KEN-9a8b7c"\n';

test('a good file ends as a configuration for all, a secret for root, and nothing on the card', async () => {
  using desk = new ImportDesk();
  const { code, said } = await desk.put(TOML).process();
  assert.equal(code, 0, said);
  assert.deepEqual(desk.files, ['credstore/firstlight.secret', 'etc/conf.d/00-boot.toml']);
  assert.equal(desk.secret('firstlight.secret'), SECRET);
  assert.equal(desk.mode(join(desk.credstore, 'firstlight.secret')), '600');
  assert.equal(desk.mode(desk.credstore), '700');
  assert.equal(desk.mode(desk.configFile), '644');
  assert.equal(desk.mode(desk.etc), '755');
  assert.match(
    desk.config ?? '',
    /^# ours\n\[server\]\nurl = "coap:\/\/tb\.example\.com"\n\[provisioning\]\nkey = "k"\n# secret: is in /,
  );
  assert.ok(!`${desk.config}${said}`.includes(SECRET));
  assert.deepEqual(readdirSync(desk.scratch), []);
});

test('what the editors of Windows and old Macs make of the file is taken as it is', () => {
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
    using desk = new ImportDesk();
    const { code, said } = desk.put(content).import();
    assert.equal(code, 0, `${name}: ${said}`);
    assert.equal(desk.secret('firstlight.secret'), SECRET, name);
    assert.ok(!desk.config?.includes('\r'), name);
  }
});

test('a file that is no text as we want it is refused with what to do about it', () => {
  const forms: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ['', /is empty/],
    ['\r\n \r\n', /is empty/],
    [Buffer.alloc(700), /nothing but zeros.*eject/],
    [Buffer.concat([Buffer.from(TOML), Buffer.alloc(50)]), /zeros in it.*eject/],
    [Buffer.from(TOML, 'utf16le'), /UTF-16 text without a mark; save it as UTF-8/],
    [Buffer.from('[server]\n# Gerät\n', 'latin1'), /Line 2: .*not UTF-8; save it as UTF-8 \(in Notepad/],
    [`# ${'x'.repeat(300_000)}`, /larger than 256 KiB/],
    [TOML.replace('"k"', '\u201ck\u201d'), /Line 5: has the curly quotes of a word processor/],
  ];
  for (const [content, expected] of forms) {
    using desk = new ImportDesk();
    const { code } = desk.put(content).import();
    assert.equal(code, 78, String(expected));
    assert.match(desk.note ?? '', expected);
    assert.deepEqual(desk.files, ['boot/firstlight-error.txt', 'boot/firstlight.toml'], String(expected));
  }
});

test('a wrong file stays, with all its problems beside it for Notepad and no secret; a right one takes the note away', async () => {
  using desk = new ImportDesk();
  const wrong = TOML.replace('coap:', 'mqtt:')
    .replace('# ours', '#\n[log]\nlevel = "loud"\nfoo = 1')
    .replace('"k"', '17');
  const { code, said } = await desk.put(wrong).process();
  assert.equal(code, 78);
  assert.equal(desk.read(desk.source), wrong);
  const note = desk.note ?? '';
  for (const part of [
    'Line 3: log.level',
    'Line 4: log.foo',
    'Line 6: server.url',
    'Line 8: provisioning.key',
    '4 things',
  ]) {
    assert.ok(note.includes(part), `${part} in ${note}`);
  }
  assert.ok(note.split('\n').every((line) => line === '' || line.endsWith('\r')));
  assert.ok(![note, said].join().includes(SECRET));
  assert.ok(!note.includes('firstlight-import-'), 'the scratch file is nobody’s business');
  assert.deepEqual(desk.files, ['boot/firstlight-error.txt', 'boot/firstlight.toml']);
  assert.equal(desk.put(TOML).import().code, 0);
  assert.equal(desk.note, undefined);
});

test('a file with which no gateway could get in is refused, unless systemd hands over what is missing', () => {
  const url = '[server]\nurl = "coap://tb.example.com"\n';
  using desk = new ImportDesk();
  assert.equal(desk.put(url).import().code, 78);
  assert.match(desk.note ?? '', /no way to get in: set provisioning\.key and provisioning\.secret/);
  const credentials = join(desk.root, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'firstlight.secret'), SECRET);
  const pair = `${url}[provisioning]\nkey = "k"\n`;
  assert.equal(desk.put(pair).import().code, 78);
  assert.equal(desk.import({ CREDENTIALS_DIRECTORY: credentials }).code, 0);
  assert.equal(desk.config, pair);
  assert.equal(desk.secret('firstlight.secret'), undefined);
});

test('however the secret is written in TOML, it is found, moved, and nothing else is lost', () => {
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
    using desk = new ImportDesk();
    const { code, said } = desk.put(form).import();
    assert.equal(code, 0, `${form}\n${said}`);
    assert.equal(desk.secret('firstlight.secret'), SECRET, form);
    const config = desk.config ?? '';
    assert.ok(!config.includes(SECRET), config);
    // Taken again it is complete, because the secret is where systemd finds it.
    const { code: again } = desk.put(config).import();
    assert.equal(again, 0, config);
    assert.equal(desk.config, config);
    assert.match(config, /key\s*=\s*("|')+k/);
  }
});

test('a secret taken out of use in a comment is not published either', () => {
  using desk = new ImportDesk();
  desk.put(`${TOML}#secret = "last-years-secret"\n# token="another"\n`).import();
  assert.match(desk.config ?? '', /#secret = …\n# token= …\n$/);
});

test('a configuration that somebody edited is kept, dated; one that sets nothing is not; and a second import changes nothing', () => {
  using desk = new ImportDesk();
  const config = desk.configFile;
  const directory = dirname(config);
  mkdirSync(directory, { recursive: true });
  writeFileSync(config, '# as the package brought it\n#url = "coap://x"\n');
  desk.put(TOML).import();
  assert.deepEqual(readdirSync(directory), ['00-boot.toml']);
  writeFileSync(config, '[server]\nurl = "coap://edited"\n');
  chmodSync(config, 0o640);
  const { said } = desk.put(TOML).import();
  const [backup = ''] = readdirSync(directory).filter((name) => name.endsWith('.bak'));
  assert.match(backup, /^00-boot\.toml\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.bak$/);
  assert.match(said, /the configuration before is kept as/);
  assert.equal(desk.read(join(directory, backup)), '[server]\nurl = "coap://edited"\n');
  assert.equal(desk.mode(join(directory, backup)), '640');
  const before = desk.files;
  assert.equal(desk.put(TOML).import().code, 0);
  assert.deepEqual(desk.files, before);
});

test('a fixed token goes the same way, and takes the place of the provisioning secret imported before', () => {
  using desk = new ImportDesk();
  desk.put(TOML).import();
  const { code, said } = desk.put(TOKEN).import();
  assert.equal(code, 0);
  assert.equal(desk.secret('firstlight.token'), 'T0KEN-9a8b7c');
  assert.equal(desk.secret('firstlight.secret'), undefined);
  assert.match(said, /firstlight\.secret, of the configuration before, is removed/);
  assert.ok(!said.includes('T0KEN-9a8b7c'));
  desk.put(TOML).import();
  assert.equal(desk.secret('firstlight.token'), undefined);
});

test('what an earlier import left is not taken for what this file brings, nor stays when it was cut short', () => {
  using desk = new ImportDesk();
  desk.put(TOKEN).import();
  writeFileSync(join(desk.credstore, '.firstlight.secret.new'), SECRET);
  assert.equal(
    desk.put(TOML.replace('key = "k"\n', '')).import().code,
    78,
    'the old token hid the missing key',
  );
  assert.match(desk.note ?? '', /provisioning\.key is missing/);
  desk.put(TOKEN).import();
  assert.deepEqual(desk.files, ['credstore/firstlight.token', 'etc/conf.d/00-boot.toml']);
});

test('a value that only looks like an old secret in a comment is not harmed', () => {
  using desk = new ImportDesk();
  const { code } = desk.put(TOML.replace('"k"', '"""\\\n#secret = k"""')).import();
  assert.equal(code, 0, desk.note);
  assert.match(desk.config ?? '', /^key = "#secret = k"$/m);
});

test('a credential that systemd hands over by another way wins, and that is said', () => {
  using desk = new ImportDesk();
  const credentials = join(desk.root, 'credentials');
  mkdirSync(credentials);
  writeFileSync(join(credentials, 'firstlight.secret'), 'by-smbios');
  const { said } = desk.put(TOML).import({ CREDENTIALS_DIRECTORY: credentials });
  assert.match(said, /another firstlight\.secret, by SMBIOS.*wins/);
  assert.ok(!said.includes('by-smbios'));
});

test('the drop-ins of the gateway go with the file: what they give need not be in it, what is wrong in them is told', () => {
  using desk = new ImportDesk();
  const dropIn = join(desk.etc, 'conf.d', 'server.toml');
  mkdirSync(join(desk.etc, 'conf.d'), { recursive: true });
  writeFileSync(dropIn, '[server]\nurl = "mqtt://h"\n');
  const pair = `[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;
  assert.equal(desk.put(pair).import().code, 78);
  assert.ok(desk.note?.includes(`${dropIn}:2: server.url`), desk.note);
  writeFileSync(dropIn, '[server]\nurl = "coap://h"\n');
  assert.equal(desk.put(pair).import().code, 0);
  assert.match(desk.config ?? '', /^\[provisioning\]\nkey = "k"\n# secret: is in/);
});

test('a name that is nearly right is told beside the file and not taken', () => {
  for (const name of ['firstlight.toml.txt', 'FIRSTLIGHT.TOML', 'firstlight.txt']) {
    using desk = new ImportDesk();
    const { code } = desk.put(TOML, name).import();
    assert.equal(code, 78, name);
    assert.match(desk.note ?? '', /its name must be firstlight\.toml, in small letters; rename it/);
    assert.equal(/Windows hides/.test(desk.note ?? ''), name.endsWith('.txt'));
    assert.equal(desk.read(join(desk.boot, name)), TOML);
    assert.ok(!existsSync(desk.etc));
  }
});

test('a link, a directory and a file that is not there are no configuration', () => {
  using desk = new ImportDesk();
  assert.equal(desk.import().code, 66);
  writeFileSync(join(desk.root, 'elsewhere'), TOML);
  symlinkSync(join(desk.root, 'elsewhere'), desk.source);
  assert.equal(desk.import().code, 78);
  assert.equal(desk.read(join(desk.root, 'elsewhere')), TOML);
  using other = new ImportDesk();
  mkdirSync(other.source);
  assert.equal(other.import().code, 78);
  assert.match(other.note ?? '', /it is not a regular file/);
});

test('the file of the package stays as it is, and what it sets goes with the imported file and gives way to it', () => {
  using desk = new ImportDesk();
  const main = join(desk.etc, 'firstlight.toml');
  mkdirSync(desk.etc);
  const ours = '[server]\nurl = "coap://of-the-image"\n[telemetry]\ninterval = "30s"\n';
  writeFileSync(main, ours);
  assert.equal(desk.put(TOML).import().code, 0);
  assert.equal(desk.read(main), ours);
  const { config } = loadConfig({
    file: main,
    fileRequired: true,
    environment: {},
    names: SENSOR_NAMES,
    credentialsDirectory: desk.credstore,
  });
  assert.equal(config.telemetry.intervalMs, 30_000);
  assert.equal(config.server.roads[0].host, 'tb.example.com');
  writeFileSync(main, '[telemetry]\ninterval = "often"\n');
  assert.equal(desk.put(TOML).import().code, 78);
  assert.ok(desk.note?.includes(`${main}:2: telemetry.interval`), desk.note);
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
  test(`sensors of an operator's own come through an import, ${how}`, () => {
    using desk = new ImportDesk();
    assert.equal(desk.put(toml).import().code, 0);
    assert.equal(desk.secret('firstlight.secret'), SECRET);
    assert.doesNotMatch(desk.config ?? '', new RegExp(SECRET));
    const file = { fileRequired: false, environment: {}, names: SENSOR_NAMES };
    const { config } = loadConfig({ ...file, file: desk.configFile, credentialsDirectory: desk.credstore });
    assert.deepEqual(config.sensors.own, [
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
