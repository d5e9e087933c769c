/**
 * scripts/capture-host.sh takes what the sensors read, and nothing that tells which host it was.
 *
 * Each captured host of ours is captured again and sampled: a path that a sensor reads and the script's list does not have
 * makes this fail.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Values } from '../../src/core/reading.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import { openSampler } from '../../src/sensors/sampler.ts';
import { type Asked, Trace } from '../../src/sensors/trace.ts';
import { openTree, type Tree } from '../../src/sensors/tree.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { JournalDouble } from './captured-host.ts';

const SCRIPT = join(process.cwd(), 'scripts/capture-host.sh');
const HOSTS = join(process.cwd(), 'test/fixtures/hosts');
/** What the script replaces in paths, and so in keys: MAC addresses and the serial numbers of 1-Wire devices. */
const NAMED_BY_SERIAL = /(28|10|22|3b|42)-[0-9a-f]{12}|[0-9a-f]{12}/i;

for (const name of readdirSync(HOSTS)) {
  it(`what is captured of ${name} gives the same values, from the same paths`, async (t) => {
    const whole = await sampled(join(HOSTS, name));
    const captured = await sampled((await capture(t, ['--root', join(HOSTS, name)])).tree);
    const missing = whole.found.filter(
      (path) => !captured.found.includes(path) && !NAMED_BY_SERIAL.test(path),
    );
    assert.deepEqual(missing, [], 'read by a sensor, and not in the list of capture-host.sh');
    assert.deepEqual(numbers(captured.values), numbers(whole.values));
  });
}

it('a capture of this host gives a reading, and names neither it nor its network', async (t) => {
  const { tree, archive } = await capture(t, []);
  const { values } = await sampled(tree);
  for (const key of ['load1', 'uptimeS', 'memoryAvailableBytes', 'processCount'])
    assert.ok(key in values, key);
  const text = everythingIn(tree) + execFileSync('tar', ['-tvzf', archive], { encoding: 'latin1' });
  for (const secret of namesOfThisHost()) {
    assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `${secret} is in it`);
  }
  assert.doesNotMatch(text, new RegExp(`^${hostname()}$`, 'm'));
});

it('what belongs together still does: one address has one replacement, one network one', async (t) => {
  const root = copyOf(t, 'x86-vm');
  const put = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    execFileSync('sh', ['-c', 'printf %s "$1" > "$0"', join(root, path), text]);
  };
  put('sys/class/net/wlx02aabbccddee/address', '02:aa:bb:cc:dd:ee\n');
  put('sys/bus/w1/devices/28-0316a2795d91/temperature', '21375\n');
  put('sys/bus/w1/devices/28-0316a2795d91/name', '28-0316a2795d91\n');
  put('sys/class/power_supply/bat/serial_number', 'LX-99871\n');
  put('sys/class/power_supply/bat/model_name', 'Cell LX-99871 (99871 mAh)\n');
  put('proc/net/fib_trie', '  +-- 192.168.7.0/24\n   |-- 192.168.7.42\n      /32 host LOCAL\n');
  put(
    'proc/net/route',
    'Iface\tDestination\tGateway\tFlags\tR\tU\tM\tMask\tMTU\nwlx02aabbccddee\t00000000\t0107A8C0\t3\t0\t0\t0\t00000000\t0\n',
  );
  put(
    'proc/self/mountinfo',
    '30 1 8:1 / / rw - ext4 /dev/disk/by-uuid/3e6be9de-8139-11d1-9106-a43f08d823a6 rw\n',
  );
  put('proc/loadavg', '0.10 0.20 0.30 1/99871 9987\n');
  const { tree } = await capture(t, ['--root', root]);
  const read = (path: string) => readFileSync(join(tree, path), 'utf8');
  const [device = ''] = readdirSync(join(tree, 'sys/bus/w1/devices'));
  assert.match(device, /^28-0{11}[12]$/);
  assert.equal(read(`sys/bus/w1/devices/${device}/name`), `${device}\n`);
  const wireless = readdirSync(join(tree, 'sys/class/net')).find((each) => each.startsWith('wlx')) ?? '';
  assert.match(wireless, /^wlx0200000000\d\d$/);
  assert.equal(read(`sys/class/net/${wireless}/address`).replaceAll(':', ''), `${wireless.slice(3)}\n`);
  assert.match(read('proc/net/route'), new RegExp(`^${wireless}\t`, 'm'));
  assert.match(read('proc/net/fib_trie'), /198\.18\.1\.0\/24[\s\S]*198\.18\.1\.42/);
  assert.match(read('proc/net/route'), /\t010112C6\t/);
  assert.doesNotMatch(everythingIn(tree), /LX-99871|0316a2795d91|3e6be9de|192\.168|aabbccddee/i);
  assert.equal(
    read('proc/loadavg'),
    '0.10 0.20 0.30 1/99871 9987\n',
    'a part of a serial number is no serial number',
  );
});

it('a file that hangs is left out and told, and does not hang the capture', {
  timeout: 60_000,
}, async (t) => {
  const root = copyOf(t, 'raspberry-pi-4');
  const zone = 'sys/class/thermal/thermal_zone0';
  rmSync(join(root, zone, 'temp'));
  execFileSync('mkfifo', [join(root, zone, 'temp')]);
  const { tree, stdout } = await capture(t, ['--root', root, '--seconds', '1']);
  assert.match(stdout, /left out: sys\/\S+\/thermal_zone0\/temp: (hangs|cannot be read)/);
  assert.equal(existsSync(join(tree, zone, 'temp')), false);
  assert.equal(readFileSync(join(tree, zone, 'type'), 'utf8'), 'cpu-thermal\n');
  assert.ok(existsSync(join(tree, 'sys/class/thermal/cooling_device0/type')));
});

it('used wrongly it says how it is used', async (t) => {
  await assert.rejects(capture(t, ['--seconds', 'x']), /--seconds is a whole number above 0[\s\S]*Usage:/);
  await assert.rejects(capture(t, ['--root', '/nowhere']), /\/nowhere is no directory/);
});

async function capture(t: TestContext, options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-capture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const archive = join(folder, 'capture.tar.gz');
  const { stdout } = await promisify(execFile)('sh', [SCRIPT, '--out', archive, ...options]);
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  execFileSync('tar', ['-C', tree, '-xzf', archive]);
  return { tree, archive, stdout };
}

function copyOf(t: TestContext, name: string): string {
  const root = mkdtempSync(join(tmpdir(), 'firstlight-host-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(HOSTS, name), root, { recursive: true, verbatimSymlinks: true });
  return root;
}

/** Two samples, and every path of /proc and /sys at which a sensor found something. */
async function sampled(root: string): Promise<{ values: Values; found: readonly string[] }> {
  const trace = new Trace();
  const half = { bsize: 4096, blocks: 1000, bfree: 500, bavail: 300, files: 100, ffree: 75 };
  const tree: Tree = { ...openTree(root), use: async () => half };
  const clock = new VirtualClock();
  const sampler = openSampler(collectors, trace.over(tree), clock, new JournalDouble());
  trace.begin();
  await sampler.sample();
  await clock.advance(10_000);
  trace.begin();
  const values = await sampler.sample();
  const found = trace.rounds
    .flat()
    .filter(isThere)
    .map(({ path }) => path);
  return { values, found: [...new Set(found)].toSorted() };
}

function isThere({ question, answer }: Asked): boolean {
  if (question === 'use') return false;
  return answer.is === 'there' ? answer.there : answer.is !== 'error';
}

/** The values that no replacement touches, by their keys where these hold no serial number. */
function numbers(values: Values): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => `${NAMED_BY_SERIAL.test(key) ? 'a device' : key} ${value}`)
    .toSorted();
}

/** Every path below, within, and the text of every file. From Node 22 on, a recursive readdirSync follows links, and /sys has circles of them. */
function everythingIn(folder: string, within = ''): string {
  return readdirSync(join(folder, within), { withFileTypes: true })
    .map((entry) => {
      const path = join(within, entry.name);
      if (entry.isDirectory()) return everythingIn(folder, path);
      return entry.isFile() ? `${path}\n${readFileSync(join(folder, path), 'latin1')}` : `${path}\n`;
    })
    .join('');
}

function namesOfThisHost(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each !== undefined && !each.internal)
    .flatMap((each) => [each?.mac ?? '', each?.mac.replaceAll(':', '') ?? '', each?.address ?? '']);
  const machineId = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '';
  const names = [...addresses, machineId, machineId.slice(0, 16), hostname().length > 5 ? hostname() : ''];
  return names.filter((name) => name.length >= 6 && !/^[0:]+$/.test(name));
}
