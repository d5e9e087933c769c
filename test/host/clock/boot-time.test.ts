/** The time since boot on hosts that sleep, on hosts in containers, and where /proc tells nothing. */

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
    /** Time that passes; `suspendedMs` of it is slept through. */
    pass(ms: number, suspendedMs = 0): void {
      host.monotonicMs += ms - suspendedMs;
      host.wallMs += ms;
    },
    setUptime: (text: string) => writeFileSync(join(root, 'proc/uptime'), text),
  };
  const open = () => new BootTime({ root, wallMs: () => host.wallMs, monotonicMs: () => host.monotonicMs });
  return { host, open };
}

it('a host that never slept has the monotonic time, to the last digit', (t) => {
  const { host, open } = hostAt(t, 60_123.456, '60.12');
  const boot = open();
  assert.equal(boot.bootMs(), 60_123.456);
  host.pass(0.5);
  assert.equal(boot.bootMs(), 60_123.956);
});

it('a host that had slept for an hour when the agent started counts that hour', (t) => {
  const { open } = hostAt(t, 60_000, '3660.00');
  assert.equal(open().bootMs(), 3_660_000);
});

it('a suspend is counted by the first who asks after it, not seconds later', (t) => {
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

it('a suspend that the wall clock slept through as well is counted within five seconds', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  host.setUptime('160.00 1.00\n');
  host.pass(4999);
  assert.equal(boot.bootMs(), 64_999);
  host.pass(1);
  assert.equal(boot.bootMs(), 160_000);
});

it("a container with an uptime of its own, smaller than the host's, has the host's time", (t) => {
  const { host, open } = hostAt(t, 9_000_000, '12.00');
  const boot = open();
  assert.equal(boot.bootMs(), 9_000_000);
  host.pass(10_000);
  assert.equal(boot.bootMs(), 9_010_000);
});

it('never goes back, and never creeps, whatever /proc says', (t) => {
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

it('a wall clock that is set moves nothing', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  for (const stepMs of [86_400_000, -40 * 86_400_000, 700]) {
    host.wallMs += stepMs;
    assert.equal(boot.bootMs(), 60_000);
  }
});

it('the file is not read more than once in five seconds, however often the time is asked for', (t) => {
  const { host, open } = hostAt(t, 60_000, '60.00');
  const boot = open();
  // Would be believed if it were read.
  host.setUptime('9999.00 1.00\n');
  for (let turn = 0; turn < 4000; turn++) {
    host.pass(1);
    assert.equal(boot.bootMs(), host.monotonicMs);
  }
});

it("the boot has the kernel's name for it", (t) => {
  assert.equal(hostAt(t, 0, '0.00').open().bootId, BOOT_ID);
});

it('a boot whose name cannot be read, or is none, gets one that no other has', (t) => {
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

it('on this host the time is that of /proc, and so is the boot', (t) => {
  const boot = new BootTime({ root: '/', wallMs: () => Date.now() });
  const uptimeMs = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
  assert.equal(boot.bootId, readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
  const [seconds] = process.hrtime();
  if (uptimeMs < seconds * 1000 - 1000) return t.skip('a container with an uptime of its own');
  assert.ok(Math.abs(boot.bootMs() - uptimeMs) < 2000, `${boot.bootMs()} beside ${uptimeMs}`);
});
