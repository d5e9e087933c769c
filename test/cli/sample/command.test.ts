/** `firstlight sample`: the table, the JSON output and the explanation of a value. */

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type SampleOptions, sampleRoot } from '../../../src/cli/sample/command.ts';
import { openHostFiles } from '../../../src/sensors/files/host-files.ts';
import { FakeTerminal } from '../../doubles/fake-terminal.ts';
import { copyHost, type HostName, RecordingSensorLogger } from '../../sensors/helpers/captured-host.ts';
import { createSampleClock } from './sample-clock.ts';

const CONTROL = /[^\n\P{Cc}]/u;

it('the table groups by sensor, with readable units and aligned columns', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, {});
  assert.equal(code, 0);
  assert.deepEqual(
    lines.slice(0, 2).map((line) => line.slice(0, 8)),
    ['load', '  load1 '],
  );
  const has = (line: RegExp) =>
    assert.ok(
      lines.some((each) => line.test(each)),
      String(line),
    );
  has(/^ {2}driveMmcblk0WrittenBytes +440\.6 MiB +bytes written to the drive since/);
  has(/^ {2}memoryUsedPercent +12\.4 % /);
  has(/^ {2}cpuTemperatureC +48\.7 °C /);
  has(/^ {2}netEth0RxBytesPerS +0 B\/s /);
  has(/^ {2}uptimeS +6 h 36 min +time since/);
  has(/^ {2}oomKillCount +1 +processes killed/);
  const column = lines.find((line) => line.includes('processes killed'))?.indexOf('processes killed') ?? -1;
  for (const line of lines.filter((each) => each.startsWith('  '))) {
    assert.match(line.slice(column - 1), /^ \S/, line);
  }
  assert.doesNotMatch(lines.join('\n'), CONTROL);
});

it('--json prints one reading with plain numbers, rates included', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, { json: true });
  assert.equal(code, 0);
  assert.equal(lines.length, 1);
  const reading = JSON.parse(lines[0] ?? '');
  assert.equal(reading.tsMs, Date.UTC(2026, 0, 1) + 500);
  assert.equal(reading.values.driveMmcblk0WrittenBytes, 902446 * 512);
  assert.equal(reading.values.netWlan0TxBytesPerS, 0);
});

it('a host without a readable /proc shows the other values', async (t) => {
  const { code, lines } = await run('x86-vm', t, { json: true }, { without: ['proc', 'sys'] });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /diskRootUsedPercent/);
});

it('a host without any readable sensor exits with 1', async (t) => {
  const { code, lines } = await run('x86-vm', t, {}, { without: ['.'] });
  assert.equal(code, 1);
  assert.deepEqual(lines, ['No sensor could be read.']);
});

it('--explain shows exactly the files and lines of a value', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, { explain: 'memoryUsedBytes' });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /^memoryUsedBytes = \d+ B \(471\.0 MiB\)$/);
  assert.deepEqual(readFrom(lines), ['/proc/meminfo']);
  assert.deepEqual(
    lines.filter((line) => line.includes('kB')).map((line) => line.trim()),
    ['MemTotal:        3884136 kB', 'MemAvailable:    3401820 kB'],
  );
});

it('--explain shows the raw value and the file that selected the sensor', async (t) => {
  const { lines } = await run('raspberry-pi-4', t, { explain: 'cpuTemperatureC' });
  const zone = '/sys/class/thermal/thermal_zone0';
  assert.deepEqual(readFrom(lines).toSorted(), [`${zone}/temp`, `${zone}/type`]);
  assert.ok(lines.includes('raw value   48.686'), lines.join('\n'));
  assert.ok(lines.some((line) => line.startsWith('accepted    -60 to 150 °C')));
  assert.ok(lines.some((line) => line.startsWith('note        Exactly 85 °C, more than 20 °C away')));
});

it('--explain of a rate shows only the counters of that interface', async (t) => {
  const { lines } = await run('raspberry-pi-4', t, { explain: 'netEth0RxBytesPerS' });
  const text = lines.join('\n');
  assert.match(text, /eth0: +48211033/);
  assert.doesNotMatch(text, /wlan0|docker0/);
});

it('--explain of a key that the host lacks shows what the sensor looked for', async (t) => {
  const { code, lines } = await run('x86-vm', t, { explain: 'cpuTemperatureC' });
  assert.equal(code, 0);
  assert.match(
    lines[0] ?? '',
    /^cpuTemperatureC is a key of Firstlight, but this host does not provide it\.$/,
  );
  assert.ok(lines.includes('looked for  /sys/class/hwmon: does not exist'), lines.join('\n'));
});

it('--explain of a missing interface names the existing ones', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'netEth7RxBytesPerS' });
  assert.match(lines[0] ?? '', /does not provide it\. It provides netEth0RxBytesPerS\.$/);
});

it('--explain of a malformed file shows the error', async (t) => {
  const { lines } = await run(
    'raspberry-pi-4',
    t,
    { explain: 'load15' },
    { with: { 'proc/loadavg': '0.1 0.2 \x1b[2J\n' } },
  );
  assert.ok(
    lines.some((line) => /^error +the third field of \/proc\/loadavg is /.test(line)),
    lines.join('\n'),
  );
  assert.doesNotMatch(lines.join('\n'), CONTROL);
});

it('--explain of the inode usage shows the numbers behind it', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'diskRootInodesUsedPercent' });
  assert.match(lines.join('\n'), /^ +f_files \d+$\n^ +f_ffree \d+$/m);
});

it('--explain of a value that is read once per minute shows its line', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'oomKillCount' });
  assert.match(lines.join('\n'), /^read from +\/proc\/vmstat\n +oom_kill \d+$/m);
});

it('--explain of a custom file sensor shows its line or its error', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'site.toml');
  const own = (name: string, file: string) =>
    `[[sensor.file]]\nname = "${name}"\npath = "${file}"\nscale = "1000"\nunit = "l"\n`;
  writeFileSync(
    config,
    `[server]\nurl = "coap://x"\n${own('tank', '/proc/loadavg')}${own('odd', '/proc/net/dev')}`,
  );
  const { lines } = await run('x86-vm', t, { config, explain: 'tank' });
  assert.equal(lines[0], 'tank = 700 l');
  assert.ok(lines.includes('read from   /proc/loadavg'), lines.join('\n'));
  const absent = await run('x86-vm', t, { config, explain: 'odd' });
  assert.match(absent.lines.join('\n'), /^error +the first line of \/proc\/net\/dev has no number: /m);
  assert.match(absent.lines.join('\n'), /^looked for +\/proc\/net\/dev: Inter-/m);
});

it('--explain of a mistyped key suggests the nearest one and exits with 1', async (t) => {
  const { code, lines } = await run('x86-vm', t, { explain: 'memoryUseBytes' });
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /^No sensor has a key memoryUseBytes\. Did you mean memoryUsedBytes\?$/);
  const near = await run('x86-vm', t, { explain: 'netEht0RxBytesPerS' });
  assert.match(near.lines[0] ?? '', /is a key of Firstlight.* It provides netEth0RxBytesPerS/);
});

it('a program cannot send the keys of lost readings', async (t) => {
  const config = join(copyHost('x86-vm', t), 'site.toml');
  writeFileSync(
    config,
    '[server]\nurl = "coap://x"\n[[sensor.exec]]\nname = "lost"\ncommand = ["/bin/echo", "readings=5"]\n',
  );
  assert.doesNotMatch((await run('x86-vm', t, { config, json: true })).lines[0] ?? '', /lostReadings/);
});

it('--config includes custom sensors with their units; --all marks disabled ones', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'site.toml');
  const program = join(root, 'program');
  writeFileSync(program, '#!/bin/sh\necho flow=61.5\necho state=heating\n', { mode: 0o755 });
  writeFileSync(
    config,
    `[server]\nurl = "coap://x"\n[sensors]\nrename = "boilerState=state"\noff = "hidden"
[[sensor.exec]]\nname = "boiler"\ncommand = ["${program}"]\nunit = "l/min"
[[sensor.exec]]\nname = "hidden"\ncommand = ["/bin/echo", "1"]
[[sensor.exec]]\nname = "broken"\ncommand = ["/nonexistent"]
[[sensor.file]]\nname = "tank"\npath = "/proc/loadavg"\nscale = "1000"\nunit = "l"\n`,
  );
  const { code, lines } = await run('x86-vm', t, { config });
  const text = lines.join('\n');
  assert.equal(code, 0);
  assert.match(text, /^tank\n {2}tank +700 l +number in the first line of \/proc\/loadavg/m);
  assert.match(text, /^boiler\n {2}boilerFlow +61\.5 l\/min +output of \S+program$/m);
  assert.match(text, /^ {2}state +heating/m);
  assert.doesNotMatch(text, /hidden|broken|other/);
  const all = await run('x86-vm', t, { config, all: true });
  assert.match(all.lines.join('\n'), /^hidden\n- hidden +1/m);
  const explained = await run('x86-vm', t, { config, explain: 'boilerFlow' });
  assert.match(
    explained.lines[0] ?? '',
    /^boilerFlow: output of \S+program, from the configured sensor boiler\.$/,
  );
});

it('--config with problems reports them all and exits with 78', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'wrong.toml');
  writeFileSync(config, '[server]\nurl = "ftp://x"\n[telemetry]\ninterval = "never"\n');
  const { code, lines } = await run('x86-vm', t, { config });
  assert.equal(code, 78);
  assert.ok(
    lines.some((line) => line.includes('server.url')) && lines.some((line) => line.includes('interval')),
  );
});

it('--config selects and renames like the agent; --all marks the other keys', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'site.toml');
  const sensors = 'off = "network"\nrename = "load1=loadOne"\nscale = "load1=100"\n';
  writeFileSync(config, `[server]\nurl = "coap://x"\n[sensors]\n${sensors}`);
  const { code, lines } = await run('x86-vm', t, { config });
  const text = lines.join('\n');
  assert.equal(code, 0);
  assert.match(text, /^load\n {2}loadOne +70 +tasks/m);
  assert.doesNotMatch(text, /load1 |net/);
  const all = await run('x86-vm', t, { config, all: true });
  assert.match(all.lines.join('\n'), /^network\n- netEth0RxBytesPerS/m);
  const explained = await run('x86-vm', t, { config, explain: 'loadOne' });
  assert.match(explained.lines[0] ?? '', /^load1 = 0\.7$/);
  assert.match(explained.lines[1] ?? '', /^The configuration changes it to: loadOne = 70$/);
  const off = await run('x86-vm', t, { config, explain: 'netEth0RxBytesPerS' });
  assert.match(off.lines[1] ?? '', /does not send it/);
});

interface Changed {
  readonly without?: readonly string[];
  readonly with?: Readonly<Record<string, string>>;
}

async function run(host: HostName, t: TestContext, options: SampleOptions, changed: Changed = {}) {
  const root = copyHost(host, t);
  for (const path of changed.without ?? []) rmSync(join(root, path), { recursive: true });
  for (const [path, text] of Object.entries(changed.with ?? {})) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const terminal = new FakeTerminal();
  const ports = { log: new RecordingSensorLogger(), terminal, environment: {} };
  const files = { hostFiles: openHostFiles(root), isOther: false, hasKernelFiles: true };
  const code = await sampleRoot(options, { ...files, clock: createSampleClock() }, ports);
  return { code, lines: terminal.lines };
}

function readFrom(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('read from')).map((line) => line.replace(/^read from +/, ''));
}
