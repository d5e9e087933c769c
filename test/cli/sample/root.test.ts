/** `firstlight sample --root`: captures, archives and other roots, of which nothing is invented. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { type SampleOptions, sampleCommand } from '../../../src/cli/sample/command.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { FakeTerminal } from '../../doubles/fake-terminal.ts';
import { MAIN } from '../../paths.ts';
import { capture, HOSTS } from '../../sensors/captures.ts';
import { copyHost, RecordingSensorLogger } from '../../sensors/helpers/captured-host.ts';
import { createSampleClock } from './sample-clock.ts';

it('a capture is read as it was written, unpacked or not', { timeout: 60_000 }, async (t) => {
  const { root, archive } = await capture(t, ['--root', join(HOSTS, 'raspberry-pi-4')]);
  const [unpacked, packed] = [await run({ root, json: true }), await run({ root: archive, json: true })];
  assert.deepEqual([unpacked.code, packed.code], [0, 0]);
  const { values, ...head } = JSON.parse(unpacked.text);
  assert.deepEqual(JSON.parse(packed.text), { root: archive, values });
  assert.deepEqual(head, { root }, 'no timestamp: the files do not say when they were read');
  assert.equal(values.memoryUsedPercent, 12.4);
  assert.equal(values.cpuTemperatureC, 48.7);
  assert.equal(values.netEth0Up, true);
  assert.deepEqual(unpacked.logged, []);
});

it('a capture has neither rates nor the use of the disk it is on', async (t) => {
  const { text } = await run({ root: copyHost('raspberry-pi-4', t), json: true, all: true });
  const keys = Object.keys(JSON.parse(text).values);
  const invented = keys.filter((key) => /(Bytes|Packets)PerS$|UsePercent$|^disk|^agent|^clock/.test(key));
  assert.deepEqual(invented, []);
  assert.ok(keys.length > 30);
});

it('the table of another root says what is left out', async (t) => {
  const { lines } = await run({ root: copyHost('raspberry-pi-4', t) });
  assert.deepEqual(lines.slice(-2), [
    'Only the files of this root were read; the use of its file systems is known to the running host only.',
    'There are no rates: the time of this root stands still, as in a capture.',
  ]);
});

it('two samples of a running root are apart by --interval, in its own time', async (t) => {
  const root = copyHost('x86-vm', t);
  const host = openHostFiles(root);
  const edit = (path: string, from: RegExp, to: (number: number) => string) =>
    writeFileSync(
      join(root, path),
      host.read(path).replace(from, (_, number) => to(Number(number))),
    );
  // 100 s pass below the root while 5 s pass here.
  const onPause = () => {
    edit('proc/uptime', /^(\S+)/, (seconds) => String(seconds + 100));
    edit('proc/net/dev', /eth0: *(\d+)/g, (bytes) => `eth0: ${bytes + 50_000}`);
  };
  const { text } = await run({ root, json: true, interval: 5000 }, onPause);
  assert.equal(JSON.parse(text).values.netEth0RxBytesPerS, 500);
});

it('--explain of another root shows its files, and what it cannot know', async (t) => {
  const root = copyHost('raspberry-pi-4', t);
  const memory = await run({ root, explain: 'memoryUsedBytes' });
  assert.equal(memory.code, 0);
  assert.ok(memory.lines.includes('read from   /proc/meminfo'), memory.text);
  const disk = await run({ root, explain: 'diskRootUsedPercent' });
  assert.match(disk.text, /^diskRootUsedPercent is known to the running host only \(statfs\(2\)/);
  const rate = await run({ root, explain: 'netEth0RxBytesPerS' });
  assert.match(rate.text, /There are no rates: the time of this root stands still/);
  const absent = await run({ root, explain: 'watchdogReset' });
  assert.doesNotMatch(absent.text, /rates/);
  assert.equal((await run({ root, explain: 'memoryUseBytes' })).code, 1);
});

it('programs and GPIO lines of the configuration are not read for another root', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'site.toml');
  const ran = join(root, 'ran');
  writeFileSync(join(root, 'tank'), '12\n');
  const sensors = [
    `[[sensor.exec]]\nname = "own"\ncommand = ["/usr/bin/touch", "${ran}"]`,
    '[[sensor.gpio]]\nname = "door"\nline = "DOOR"',
    '[[sensor.file]]\nname = "tank"\npath = "/tank"',
  ];
  writeFileSync(config, `[server]\nurl = "coap://x"\n${sensors.join('\n')}\n`);
  const { text, lines } = await run({ root, config });
  assert.match(text, /^ {2}tank +12 /m, 'a file below the root');
  assert.equal(lines.at(-1), 'Not read, because they would be those of this host: own, door.');
  assert.equal(spawnSync('test', ['-e', ran]).status, 1, 'the program did not run');
  const { text: explained } = await run({ root, config, explain: 'own' });
  assert.match(explained, /^own: output of \/usr\/bin\/touch, which another root does not have\.$/m);
});

it('a card that is mounted has no readings but those of files', async (t) => {
  const root = copyHost('x86-vm', t);
  for (const folder of ['proc', 'sys']) {
    rmSync(join(root, folder), { recursive: true });
    mkdirSync(join(root, folder));
  }
  const { code, text, logged } = await run({ root });
  assert.equal(code, 1);
  assert.match(text, /^\S+ has no files in proc and sys, as a system that is not running: give the archive/);
  assert.deepEqual(logged, []);
  const config = join(root, 'site.toml');
  writeFileSync(join(root, 'tank'), '12\n');
  writeFileSync(config, '[server]\nurl = "coap://x"\n[[sensor.file]]\nname = "tank"\npath = "/tank"\n');
  const { text: table, code: withFile } = await run({ root, config });
  assert.equal(withFile, 0);
  assert.match(table, /^ {2}tank +12 /m);
});

it('a root that cannot be read is named, with its exit code', async (t) => {
  const root = copyHost('x86-vm', t);
  writeFileSync(join(root, 'note'), 'no archive\n');
  mkdirSync(join(root, 'empty'));
  const rows: readonly [path: string, code: number, problem: RegExp][] = [
    [
      '/nowhere/at/all',
      66,
      /^\/nowhere\/at\/all does not exist: give the archive that capture-host\.sh wrote/,
    ],
    [join(root, 'note', 'below'), 66, / does not exist: /],
    [join(root, 'note'), 1, /note is no complete archive of a capture: give /],
    ['/dev/zero', 1, /^\/dev\/zero is no complete archive of a capture: /],
    [join(root, 'empty'), 1, /empty has no files in proc and sys, as a system that is not running: give /],
  ];
  for (const [path, code, problem] of rows) {
    const result = await run({ root: path, json: true });
    assert.equal(result.code, code, path);
    assert.equal(result.lines.length, 1);
    assert.match(result.text, problem);
    assert.deepEqual(result.logged, []);
  }
});

it('--root / and a link to it are this host', async () => {
  for (const root of ['/', '/proc/self/root', '/./']) {
    const { code, text } = await run({ root, json: true });
    assert.equal(code, 0);
    const reading = JSON.parse(text);
    assert.equal(reading.tsMs, Date.UTC(2026, 0, 1) + 500);
    assert.ok('diskRootUsedPercent' in reading.values);
  }
});

it('Ctrl-C during the interval ends the command without a reading', async (t) => {
  const root = copyHost('x86-vm', t);
  const { code, text } = await run({ root, interval: 3_600_000 }, (terminal) => terminal.end());
  assert.deepEqual([code, text], [130, '']);
});

const NOBODY = 65_534;
const cannotChangeUser = process.getuid?.() !== 0 && 'only root can become another user';

it('another user reads a capture that is theirs', { skip: cannotChangeUser, timeout: 60_000 }, async (t) => {
  const root = copyHost('raspberry-pi-4', t);
  symlinkSync('..', join(root, 'up'));
  const sample = (path: string) =>
    spawnSync(process.execPath, [MAIN, 'sample', '--json', '--root', path], {
      uid: NOBODY,
      gid: NOBODY,
      encoding: 'utf8',
    });
  chmodSync(root, 0o700);
  const refused = sample(root);
  assert.equal(refused.status, 66);
  assert.match(refused.stdout, /belongs to another user and cannot be read: run the command as that user/);
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, root]);
  const read = sample(root);
  assert.deepEqual([read.status, read.stderr], [0, '']);
  assert.equal(JSON.parse(read.stdout).values.memoryUsedPercent, 12.4);
});

async function run(options: SampleOptions, onPause: (terminal: FakeTerminal) => void = () => {}) {
  const terminal = new FakeTerminal();
  const log = new RecordingSensorLogger();
  const clock = createSampleClock(options.interval, () => onPause(terminal));
  const code = await sampleCommand(options, { clock, log, terminal, environment: {} });
  return { code, lines: terminal.lines, text: terminal.lines.join('\n'), logged: log.lines };
}
