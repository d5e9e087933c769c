/** The facts process: its failures, and that the agent always has the basic facts. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import type { HostFacts } from '../../../src/core/ports/sensors.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { readDeviceTreeFacts } from '../../../src/host/hardware/device-tree-facts.ts';
import { createFacts } from '../../../src/host/hardware/facts.ts';
import { printFacts } from '../../../src/host/hardware/facts-child.ts';
import { RecordingSensorLogger } from '../../sensors/helpers/captured-host.ts';

const BASIC_KEYS = ['agentVersion', 'architecture', 'hostname', 'ipAddresses', 'kernel', 'nodeVersion'];
const LONG_TIMEOUT_MS = 30_000;
const HOSTS = 'test/fixtures/hosts';
const never = new AbortController().signal;

it('the facts of the child are added to the basic facts', async (t) => {
  const { facts } = factsFrom(t, `console.log(JSON.stringify({ hardwareModel: 'Pi', osVersion: '13' }))`);
  const values = await facts.gather(never);
  assert.equal(values['hardwareModel'], 'Pi');
  assert.equal(values['osVersion'], 'osVersion 13');
  assert.equal(values['nodeVersion'], process.version);
  assert.equal(values['agentVersion'], '1.2.3');
  assert.equal('hardwareSerial' in values, false);
});

it('a hanging child is killed at the deadline, with the processes it started', async (t) => {
  const child = `
    const { spawn } = require('node:child_process');
    const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
    require('node:fs').writeFileSync(process.argv[1] + '.pids', process.pid + ' ' + sleeper.pid);
    setInterval(() => {}, 1000);`;
  const { facts, log, mainPath } = factsFrom(t, child, 1000);
  assertBasicFacts(await facts.gather(never));
  const pids = readFileSync(`${mainPath}.pids`, 'utf8').split(' ').map(Number);
  assert.equal(pids.length, 2);
  for (const pid of pids) assert.equal(await hasExited(pid), true, `process ${pid}`);
  assert.equal(log.lines.length, 1);
});

for (const [what, script] of Object.entries({
  'prints garbage': `console.log('{"hardwareModel": "Pi"')`,
  'prints a list': `console.log('["Pi"]')`,
  'prints nothing': ``,
  'fails after its output': `console.log('{"hardwareModel":"Pi"}'); process.exitCode = 3`,
  'is killed': `process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)`,
  'prints endlessly': `const more = () => process.stdout.write('{'.repeat(9999), more); more()`,
})) {
  it(`a child that ${what} leaves the basic facts, and is logged`, async (t) => {
    const { facts, log } = factsFrom(t, script);
    assertBasicFacts(await facts.gather(never));
    assert.equal(log.lines.length, 1);
  });
}

it('a child that cannot be started leaves the basic facts', async () => {
  const log = new RecordingSensorLogger();
  const facts = createFacts({
    nodePath: '/nonexistent/node',
    mainPath: 'main.js',
    agentVersion: '1.2.3',
    clock: hostClock(),
    log,
  });
  assertBasicFacts(await facts.gather(never));
  assert.equal(log.lines.length, 1);
});

it('only known keys with texts are accepted from the child', async (t) => {
  const output = {
    hardwareModel: 7,
    hardwareSerial: '-',
    osName: ['Debian'],
    osVersion: 'x\u0000y',
    hostname: 'evil',
    extra: 'x',
  };
  const { facts } = factsFrom(t, `console.log(${JSON.stringify(JSON.stringify(output))})`);
  const values = await facts.gather(never);
  assert.deepEqual(
    Object.entries(values).filter(([key]) => !BASIC_KEYS.includes(key)),
    [['osVersion', 'x y']],
  );
  assert.notEqual(values['hostname'], 'evil');
});

it('gather does not wait for the child when the agent stops, and logs nothing', {
  timeout: 10_000,
}, async (t) => {
  const { facts, log } = factsFrom(t, 'setInterval(() => {}, 1000)');
  const stop = new AbortController();
  const gathering = facts.gather(stop.signal);
  stop.abort();
  assertBasicFacts(await gathering);
  assertBasicFacts(await facts.gather(stop.signal));
  assert.deepEqual(log.lines, []);
});

it('the child runs at low priority, with PATH and LC_ALL only', async (t) => {
  process.env['FIRSTLIGHT_TEST_SECRET'] = 'hush';
  t.after(() => delete process.env['FIRSTLIGHT_TEST_SECRET']);
  const { facts } = factsFrom(
    t,
    `
    const waitUntilNice = () => require('node:os').getPriority() >= 10
      ? console.log(JSON.stringify({ hardwareModel: Object.keys(process.env).sort().join() }))
      : setTimeout(waitUntilNice, 5);
    waitUntilNice();`,
  );
  assert.equal((await facts.gather(never))['hardwareModel'], 'LC_ALL,PATH');
});

it('printFacts prints one JSON object of texts', async () => {
  let printed = '';
  await printFacts({
    write: (text) => {
      printed += text;
    },
  });
  const facts: unknown = JSON.parse(printed);
  assert.ok(typeof facts === 'object' && facts !== null && 'osName' in facts);
  for (const value of Object.values(facts)) assert.equal(typeof value, 'string');
});

it('a board with a device tree needs no child', async () => {
  const log = new RecordingSensorLogger();
  const common = { nodePath: '/nowhere', mainPath: '', agentVersion: '1.2.3', clock: hostClock(), log };
  const of = (root: string) => createFacts({ ...common, root }).gather(never);
  const pi = await of(join(HOSTS, 'raspberry-pi-4'));
  assert.match(String(pi['hardwareModel']), /^Raspberry Pi 4 Model B/);
  assert.match(String(pi['hardwareSerial']), /^SN:[0-9a-f]{16}$/);
  assert.match(String(pi['hardwareProcessor']), /^BCM2711$/);
  assert.equal(pi['nodeVersion'], process.version);
  assert.match(String((await of(join(HOSTS, 'emmc-board')))['hardwareModel']), /\w/);
  assert.equal(log.lines.length, 0);
  // No device tree: the child is asked, and cannot start.
  assertBasicFacts(await of(join(HOSTS, 'x86-gateway')));
  assert.equal(log.lines.length, 1);
});

it('the name and version of the system come from os-release, whatever its quotes', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'firstlight-facts-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'proc/device-tree'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'proc/device-tree/model'), 'Some Board\0');
  const facts = (release: string) => {
    writeFileSync(join(root, 'etc/os-release'), release);
    const { osName, osVersion } = readDeviceTreeFacts(root) ?? {};
    return [osName, osVersion];
  };
  assert.deepEqual(
    facts(
      'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n',
    ),
    ['Debian GNU/Linux', '13 (trixie)'],
  );
  assert.deepEqual(facts("NAME='Alpine Linux'\nVERSION_ID=3.20.1\n"), ['Alpine Linux', '3.20.1']);
  assert.deepEqual(facts('NAME="unfinished\n\0'), [undefined, undefined]);
});

it('gathering facts does not load systeminformation into the agent', () => {
  const facts = new URL('../../../src/host/hardware/facts.js', import.meta.url).href;
  const script = `
    import { createRequire } from 'node:module';
    const { createFacts } = await import(${JSON.stringify(facts)});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const clock = { sleep: () => new Promise(() => {}) };
    await createFacts({ nodePath: 'false', mainPath: '', agentVersion: '1.2.3', clock, log }).gather(new AbortController().signal);
    const cache = Object.keys(createRequire(import.meta.url).cache ?? {});
    console.log(cache.filter((path) => path.includes('systeminformation')).length);`;
  assert.equal(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).trim(),
    '0',
  );
});

function factsFrom(t: TestContext, script: string, deadlineMs = LONG_TIMEOUT_MS) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-facts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const mainPath = join(folder, 'main.cjs');
  writeFileSync(mainPath, script);
  const log = new RecordingSensorLogger();
  const options = { nodePath: process.execPath, mainPath, agentVersion: '1.2.3', deadlineMs };
  const facts: HostFacts = createFacts({ ...options, clock: hostClock(), log });
  return { facts, log, mainPath };
}

function assertBasicFacts(values: Readonly<Record<string, unknown>>): void {
  // A host without a network has no addresses.
  const keys = new Set([...Object.keys(values), 'ipAddresses']);
  assert.deepEqual([...keys].toSorted(), BASIC_KEYS);
}

/** A killed process can be a zombie until its parent or init reaps it. */
async function hasExited(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      if (/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}
