/**
 * scripts/capture-host.sh captures the files that the sensors read, and nothing that identifies the host. One
 * captured host is captured again and sampled; capture-host-script.slow.test.ts does so with all of them.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { capture, everythingIn, HOSTS, testCaptureOf } from './captures.ts';

function copyCapture(t: TestContext, name: string): string {
  const root = mkdtempSync(join(tmpdir(), 'firstlight-host-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(HOSTS, name), root, { recursive: true, verbatimSymlinks: true });
  return root;
}

testCaptureOf('container');

it('a capture replaces each address and each network consistently', async (t) => {
  const root = copyCapture(t, 'x86-vm');
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    execFileSync('sh', ['-c', 'printf %s "$1" > "$0"', join(root, path), text]);
  };
  write('sys/class/net/wlx02aabbccddee/address', '02:aa:bb:cc:dd:ee\n');
  write('sys/class/net/eth7/address', 'dc:a6:32:01:02:03\n');
  write('sys/bus/w1/devices/28-0316a2795d91/temperature', '21375\n');
  write('sys/bus/w1/devices/28-0316a2795d91/name', '28-0316a2795d91\n');
  write('sys/class/power_supply/bat/serial_number', 'LX-99871\n');
  write('sys/class/power_supply/bat/model_name', 'Cell LX-99871 (99871 mAh)\n');
  write('proc/net/fib_trie', '  +-- 192.168.7.0/24\n   |-- 192.168.7.42\n      /32 host LOCAL\n');
  write(
    'proc/net/route',
    'Iface\tDestination\tGateway\tFlags\tR\tU\tM\tMask\tMTU\nwlx02aabbccddee\t00000000\t0107A8C0\t3\t0\t0\t0\t00000000\t0\n',
  );
  write(
    'proc/self/mountinfo',
    '30 1 8:1 / / rw - ext4 /dev/disk/by-uuid/3e6be9de-8139-11d1-9106-a43f08d823a6 rw\n',
  );
  write('proc/loadavg', '0.10 0.20 0.30 1/99871 9987\n');
  const { root: captured } = await capture(t, ['--root', root]);
  const read = (path: string) => readFileSync(join(captured, path), 'utf8');
  const [device = ''] = readdirSync(join(captured, 'sys/bus/w1/devices'));
  assert.match(device, /^28-0{11}[12]$/);
  assert.equal(read(`sys/bus/w1/devices/${device}/name`), `${device}\n`);
  const wireless = readdirSync(join(captured, 'sys/class/net')).find((each) => each.startsWith('wlx')) ?? '';
  assert.match(wireless, /^wlx0200000000\d\d$/);
  assert.equal(read(`sys/class/net/${wireless}/address`).replaceAll(':', ''), `${wireless.slice(3)}\n`);
  assert.match(read('sys/class/net/eth7/address'), /^00:00:5e:00:53:\d\d$/m, 'a burnt-in one stays one');
  assert.match(read('proc/net/route'), new RegExp(`^${wireless}\t`, 'm'));
  assert.match(read('proc/net/fib_trie'), /198\.18\.1\.0\/24[\s\S]*198\.18\.1\.42/);
  assert.match(read('proc/net/route'), /\t010112C6\t/);
  assert.doesNotMatch(everythingIn(captured), /LX-99871|0316a2795d91|3e6be9de|192\.168|aabbccddee/i);
  assert.equal(
    read('proc/loadavg'),
    '0.10 0.20 0.30 1/99871 9987\n',
    'a part of a serial number is not replaced',
  );
});

it('a capture reports and leaves out a file that hangs', {
  timeout: 60_000,
}, async (t) => {
  const root = copyCapture(t, 'raspberry-pi-4');
  const zone = 'sys/class/thermal/thermal_zone0';
  rmSync(join(root, zone, 'temp'));
  execFileSync('mkfifo', [join(root, zone, 'temp')]);
  const { root: captured, stdout } = await capture(t, ['--root', root, '--seconds', '1']);
  assert.match(stdout, /left out: sys\/\S+\/thermal_zone0\/temp: (hangs|cannot be read)/);
  assert.equal(existsSync(join(captured, zone, 'temp')), false);
  assert.equal(readFileSync(join(captured, zone, 'type'), 'utf8'), 'cpu-thermal\n');
  assert.ok(existsSync(join(captured, 'sys/class/thermal/cooling_device0/type')));
});

it('an archive is private, belongs to the caller of sudo, and unpacks readable', async (t) => {
  const { archive, stdout } = await capture(t, ['--root', join(HOSTS, 'container')], {
    SUDO_UID: '65534',
    SUDO_GID: '65534',
  });
  const { mode, uid } = statSync(archive);
  assert.equal(mode & 0o777, 0o600);
  if (process.getuid?.() === 0) assert.equal(uid, 65_534);
  const listed = execFileSync('tar', ['-tvzf', archive], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(listed.length > 10);
  for (const line of listed) assert.match(line, /^(drwxr-xr-x|-rw-r--r--|lrwxrwxrwx) /);
  assert.ok(stdout.endsWith(`firstlight sample --root ${archive} shows its readings.\n`));
});

it('the capture script prints its usage after a wrong option', async (t) => {
  await assert.rejects(capture(t, ['--seconds', 'x']), /--seconds is a whole number above 0[\s\S]*Usage:/);
  await assert.rejects(capture(t, ['--root', '/nowhere']), /\/nowhere is no directory/);
});
