/** `firstlight sample`: what a person sees, what a program gets, and where a value comes from. */

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type SampleOptions, sampleCommand } from '../../../src/cli/sample/command.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import { FakeTerminal } from '../../doubles/fake-terminal.ts';
import { copyHost, type HostName, RecordingSensorLogger } from '../../sensors/helpers/captured-host.ts';

const CONTROL = /[^\n\P{Cc}]/u;

it('the table has the sensors as headings, bytes in units a person can read, and every column in line', async (t) => {
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

it('a host whose /proc cannot be read shows what is left', async (t) => {
  const { code, lines } = await run('x86-vm', t, { json: true }, { without: ['proc', 'sys'] });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /diskRootUsedPercent/);
});

it('a host that says nothing at all is exit code 1', async (t) => {
  const { code, lines } = await run('x86-vm', t, {}, { without: ['.'] });
  assert.equal(code, 1);
  assert.deepEqual(lines, ['No sensor could be read.']);
});

it('--explain shows the files and the lines a value hangs on, and no others', async (t) => {
  const { code, lines } = await run('raspberry-pi-4', t, { explain: 'memoryUsedBytes' });
  assert.equal(code, 0);
  assert.match(lines[0] ?? '', /^memoryUsedBytes = \d+ B \(471\.0 MiB\)$/);
  assert.deepEqual(readFrom(lines), ['/proc/meminfo']);
  assert.deepEqual(
    lines.filter((line) => line.includes('kB')).map((line) => line.trim()),
    ['MemTotal:        3884136 kB', 'MemAvailable:    3401820 kB'],
  );
});

it('--explain shows what the sensor said before rounding, and the file that made it choose', async (t) => {
  const { lines } = await run('raspberry-pi-4', t, { explain: 'cpuTemperatureC' });
  const zone = '/sys/class/thermal/thermal_zone0';
  assert.deepEqual(readFrom(lines).toSorted(), [`${zone}/temp`, `${zone}/type`]);
  assert.ok(lines.includes('raw value   48.686'), lines.join('\n'));
  assert.ok(lines.some((line) => line.startsWith('accepted    -60 to 150 °C')));
});

it('--explain of a rate shows the counters of that interface alone', async (t) => {
  const { lines } = await run('raspberry-pi-4', t, { explain: 'netEth0RxBytesPerS' });
  const text = lines.join('\n');
  assert.match(text, /eth0: +48211033/);
  assert.doesNotMatch(text, /wlan0|docker0/);
});

it('--explain of a key this host does not have says so, and what its sensor looked for in vain', async (t) => {
  const { code, lines } = await run('x86-vm', t, { explain: 'cpuTemperatureC' });
  assert.equal(code, 0);
  assert.match(
    lines[0] ?? '',
    /^cpuTemperatureC is a key that firstlight knows, and this host does not give it\.$/,
  );
  assert.ok(lines.includes('asked for   /sys/class/hwmon: is not there'), lines.join('\n'));
});

it('--explain of another interface names those that are there', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'netEth7RxBytesPerS' });
  assert.match(lines[0] ?? '', /does not give it\. It has netEth0RxBytesPerS\.$/);
});

it('--explain of a broken file says what is wrong with it', async (t) => {
  const { lines } = await run(
    'raspberry-pi-4',
    t,
    { explain: 'load15' },
    { with: { 'proc/loadavg': '0.1 0.2 \x1b[2J\n' } },
  );
  assert.ok(
    lines.some((line) => /^it says +the third field of \/proc\/loadavg is /.test(line)),
    lines.join('\n'),
  );
  assert.doesNotMatch(lines.join('\n'), CONTROL);
});

it('--explain of the share of inodes shows the numbers it is made of', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'diskRootInodesUsedPercent' });
  assert.match(lines.join('\n'), /^ +f_files \d+$\n^ +f_ffree \d+$/m);
});

it('--explain of a value that is read once a minute shows its line', async (t) => {
  const { lines } = await run('x86-vm', t, { explain: 'oomKillCount' });
  assert.match(lines.join('\n'), /^read from +\/proc\/vmstat\n +oom_kill \d+$/m);
});

it('--explain of an own file shows its line, or why it has no value', async (t) => {
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
  assert.match(absent.lines.join('\n'), /^it says +the first line of \/proc\/net\/dev has no number: /m);
  assert.match(absent.lines.join('\n'), /^asked for +\/proc\/net\/dev: Inter-/m);
});

it('--explain of a mistyped key suggests the nearest, and is exit code 1', async (t) => {
  const { code, lines } = await run('x86-vm', t, { explain: 'memoryUseBytes' });
  assert.equal(code, 1);
  assert.match(lines[0] ?? '', /^No sensor has a key memoryUseBytes\. Did you mean memoryUsedBytes\?$/);
  const near = await run('x86-vm', t, { explain: 'netEht0RxBytesPerS' });
  assert.match(near.lines[0] ?? '', /is a key that firstlight knows.* It has netEth0RxBytesPerS/);
});

it('a program cannot seem to tell of lost readings', async (t) => {
  const config = join(copyHost('x86-vm', t), 'site.toml');
  writeFileSync(
    config,
    '[server]\nurl = "coap://x"\n[[sensor.exec]]\nname = "lost"\ncommand = ["/bin/echo", "readings=5"]\n',
  );
  assert.doesNotMatch((await run('x86-vm', t, { config, json: true })).lines[0] ?? '', /lostReadings/);
});

it('--config shows the operator’s own sensors too, read once, with their units; --all marks what is off', async (t) => {
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
  assert.match(text, /^boiler\n {2}boilerFlow +61\.5 l\/min +as \S+program says/m);
  assert.match(text, /^ {2}state +heating/m);
  assert.doesNotMatch(text, /hidden|broken|other/);
  const all = await run('x86-vm', t, { config, all: true });
  assert.match(all.lines.join('\n'), /^hidden\n- hidden +1/m);
  const explained = await run('x86-vm', t, { config, explain: 'boilerFlow' });
  assert.match(
    explained.lines[0] ?? '',
    /^boilerFlow: as \S+program says, the sensor boiler of the configuration\.$/,
  );
});

it('--config with problems tells them all and is exit code 78', async (t) => {
  const root = copyHost('x86-vm', t);
  const config = join(root, 'wrong.toml');
  writeFileSync(config, '[server]\nurl = "ftp://x"\n[telemetry]\ninterval = "never"\n');
  const { code, lines } = await run('x86-vm', t, { config });
  assert.equal(code, 78);
  assert.ok(
    lines.some((line) => line.includes('server.url')) && lines.some((line) => line.includes('interval')),
  );
});

it('--config samples as the agent with that file would: its keys, its names; --all marks the others', async (t) => {
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
  assert.match(explained.lines[1] ?? '', /^The configuration makes of it: loadOne = 70$/);
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
  const ports = { clock: createFastClock(), log: new RecordingSensorLogger(), terminal, environment: {} };
  const code = await sampleCommand({ root, ...options }, ports);
  return { code, lines: terminal.lines };
}

function readFrom(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => line.startsWith('read from')).map((line) => line.replace(/^read from +/, ''));
}

/**
 * The command's pause passes at once; a sensor's deadline, which is longer, never does, however slow the
 * test's host is.
 */
const PAUSE_MS = 500;

function createFastClock(): Clock {
  let nowMs = 0;
  return {
    wallMs: () => Date.UTC(2026, 0, 1) + nowMs,
    monotonicMs: () => nowMs,
    bootId: 'this boot',
    bootMs: () => nowMs,
    sleep: (ms, signal) => {
      if (ms > PAUSE_MS) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      nowMs += ms;
      return Promise.resolve();
    },
  };
}
