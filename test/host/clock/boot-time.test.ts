/** The time since boot: on hosts that suspend, in containers, and with an unreadable /proc. */

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { BootTime } from '../../../src/host/clock/boot-time.ts';
import { hostOf } from '../host-files.ts';

const BOOT_ID = 'f7e0b1f6-0f0e-4a6e-9d5e-1f2e3d4c5b6a';

/** A host that booted `monotonicMs` ago by CLOCK_MONOTONIC, with an uptime in /proc. */
function hostAt(t: TestContext, monotonicMs: number, uptimeS: string) {
  const root = hostOf(t, {
    'proc/sys/kernel/random/boot_id': `${BOOT_ID}\n`,
    'proc/uptime': `${uptimeS} 1234.56\n`,
  });
  const host = {
    root,
    monotonicMs,
    wallMs: Date.UTC(2026, 0, 1),
    /** Lets time pass; the host is suspended for `suspendedMs` of it. */
    pass(ms: number, suspendedMs = 0): void {
      host.monotonicMs += ms - suspendedMs;
      host.wallMs += ms;
    },
    setUptime: (text: string) => writeFileSync(join(root, 'proc/uptime'), text),
  };
  const open = () => new BootTime({ root, wallMs: () => host.wallMs, monotonicMs: () => host.monotonicMs });
  return { host, open };
}

it('without a suspend the boot time equals the monotonic time exactly', (t) => {
  const { host, open } = hostAt(t, 60_123.456, '60.12');
  const boot = open();
  assert.equal(boot.bootMs(), 60_123.456);
  host.pass(0.5);
  assert.equal(boot.bootMs(), 60_123.956);
});

it('the boot time includes a suspend before the agent started', (t) => {
  const { open } = hostAt(t, 60_000, '3660.00');
  assert.equal(open().bootMs(), 3_660_000);
});

it('the first boot time after a suspend includes it', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  host.pass(1000);
  assert.equal(boot.bootMs(), 61_000);
  host.pass(7200_000, 7199_000);
  host.setUptime('7261.00 1.00\n');
  assert.equal(boot.bootMs(), 7_261_000);
  host.pass(10);
  assert.equal(boot.bootMs(), 7_261_010);
});

it('a suspend that the wall clock missed too is included within five seconds', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  host.setUptime('160.00 1.00\n');
  host.pass(4999);
  assert.equal(boot.bootMs(), 64_999);
  host.pass(1);
  assert.equal(boot.bootMs(), 160_000);
});

it('an uptime that is wrong once, or beyond 300 years, is no suspend', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  host.setUptime('18446744073709551613 1.00\n');
  host.pass(10_000);
  assert.equal(boot.bootMs(), 70_000);
  host.setUptime('900000.00 1.00\n');
  const right = host.monotonicMs + 10_000;
  host.pass(10_000);
  let reads = 0;
  Object.defineProperty(host, 'monotonicMs', {
    get: () => {
      // The file is right again after it was read for the first time.
      reads += 1;
      if (reads > 1) host.setUptime(`${right / 1000}.00 1.00\n`);
      return right;
    },
  });
  assert.equal(boot.bootMs(), right);
  assert.ok(reads > 1);
});

it('a container with a smaller uptime has the boot time of the host', (t) => {
  const { host, open } = hostAt(t, 9_000_000, '12.00');
  const boot = open();
  assert.equal(boot.bootMs(), 9_000_000);
  host.pass(10_000);
  assert.equal(boot.bootMs(), 9_010_000);
});

it('the boot time never goes back and never creeps, whatever /proc contains', (t) => {
  const { host, open } = hostAt(t, 60_000, '3660.00');
  const boot = open();
  for (const uptime of ['3665.90', '10.00', '3675.02', 'nonsense', '', '-5', '3690.80']) {
    host.setUptime(`${uptime} 1.00\n`);
    host.pass(5000);
    assert.equal(boot.bootMs(), host.monotonicMs + 3_600_000, uptime);
  }
  rmSync(join(host.root, 'proc/uptime'));
  host.pass(5000);
  assert.equal(boot.bootMs(), host.monotonicMs + 3_600_000);
});

it('a step of the wall clock does not change the boot time', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  for (const stepMs of [86_400_000, -40 * 86_400_000, 700]) {
    host.wallMs += stepMs;
    assert.equal(boot.bootMs(), 60_000);
  }
});

it('/proc/uptime is read at most once in five seconds', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  // Would take effect if it were read.
  host.setUptime('9999.00 1.00\n');
  for (let count = 0; count < 4000; count++) {
    host.pass(1);
    assert.equal(boot.bootMs(), host.monotonicMs);
  }
});

it('the boot ID is that of the kernel', (t) => {
  assert.equal(hostAt(t, 0, '0.00').open().bootId, BOOT_ID);
});

it('a missing or invalid boot ID is replaced by a random one', (t) => {
  const { host, open } = hostAt(t, 0, '0.00');
  const path = join(host.root, 'proc/sys/kernel/random/boot_id');
  const ids = new Set<string>();
  for (const text of ['', 'unknown\n', `${BOOT_ID}${BOOT_ID}`, '../../etc']) {
    writeFileSync(path, text);
    ids.add(open().bootId);
  }
  rmSync(path);
  ids.add(open().bootId);
  assert.equal(ids.size, 5);
  for (const id of ids) assert.match(id, /^[0-9a-f-]{36}$/);
});

it('on this host the boot time and boot ID are those of /proc', (t) => {
  const boot = new BootTime({ root: '/', wallMs: () => Date.now() });
  const uptimeMs = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
  assert.equal(boot.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
  const [seconds] = process.hrtime();
  if (uptimeMs < seconds * 1000 - 1000) return t.skip('a container with an uptime of its own');
  assert.ok(Math.abs(boot.bootMs() - uptimeMs) < 2000, `${boot.bootMs()} beside ${uptimeMs}`);
});
