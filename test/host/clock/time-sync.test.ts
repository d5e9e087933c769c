/**
 * The sources that report a synchronised clock: their order, which of them prevails, and how they can fail.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { timeSyncContract } from '../../contracts/time-sync.ts';
import { ScriptedTimeSync } from '../../doubles/scripted-time-sync.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { TimeSourceHost } from './time-source-host.ts';

const { signal } = new AbortController();

timeSyncContract("timesyncd's file", (t) => {
  const host = new TimeSourceHost(t);
  // Each touch has a different time.
  let touches = 0;
  const setByService = (): void => {
    touches += 1;
    host.touch(5 - touches);
  };
  return { timeSync: host.timeSync(), setByService, setByHand: () => {} };
});

timeSyncContract("the kernel's flag, read with timedatectl", (t) => {
  const host = new TimeSourceHost(t);
  host.timedatectl('echo no');
  return {
    timeSync: host.timeSync(),
    setByService: () => host.timedatectl('echo yes'),
    setByHand: () => host.timedatectl('echo no'),
  };
});

timeSyncContract("the kernel's flag, read with perl", (t) => {
  const host = new TimeSourceHost(t);
  const setState = (state: number) => host.perl(`printf 'adjtimex ${state}'`);
  setState(5);
  return { timeSync: host.timeSync(), setByService: () => setState(0), setByHand: () => setState(5) };
});

timeSyncContract('the double', () => {
  const timeSync = new ScriptedTimeSync(new VirtualClock());
  const set = (isSynchronised: boolean): void => {
    timeSync.synchronised = isSynchronised;
    timeSync.confirms = isSynchronised;
  };
  return { timeSync, setByService: () => set(true), setByHand: () => set(false) };
});

describe("timesyncd's file", () => {
  it("timesyncd's file proves synchronisation if the kernel cannot be queried", async (t) => {
    const host = new TimeSourceHost(t);
    host.touch(86_400);
    assert.equal(await host.timeSync().isSynchronised(signal), true);
  });

  it("timesyncd's file proves nothing if the kernel reports no synchronisation", async (t) => {
    const host = new TimeSourceHost(t);
    host.touch(60);
    host.timedatectl('echo no');
    assert.equal(await host.timeSync().isSynchronised(signal), false);
    host.timedatectl('echo yes');
    assert.equal(await host.timeSync().isSynchronised(signal), true);
  });

  it("timesyncd's file confirms no step if it was touched before the step", async (t) => {
    const host = new TimeSourceHost(t);
    const timeSync = host.timeSync();
    host.touch(3600);
    await timeSync.isSynchronised(signal);
    // By the clock after a step forwards, and after a step back.
    for (const secondsAgo of [120, -120]) {
      host.touch(secondsAgo);
      assert.equal(await timeSync.confirmsStep(signal), false, `${secondsAgo} s ago`);
    }
    host.touch(60);
    assert.equal(await timeSync.confirmsStep(signal), true);
  });
});

describe('the programs that query the kernel', () => {
  it('perl runs only if timedatectl gives no result', async (t) => {
    const host = new TimeSourceHost(t);
    host.timedatectl('echo no');
    host.perl('printf "adjtimex 0"');
    assert.equal(await host.timeSync().isSynchronised(signal), false);
    host.remove('timedatectl');
    assert.equal(await host.timeSync().isSynchronised(signal), true);
    const calls = readFileSync(host.callsPath, 'utf8').replaceAll(/^(\S+ \S+).*$/gm, '$1');
    assert.equal(calls, 'timedatectl show\nperl -e\n');
  });

  for (const [state, isSynchronised] of [0, 1, 2, 3, 4, 5].map((each) => [each, each !== 5] as const)) {
    it(`the kernel's state ${state} means ${isSynchronised ? '' : 'not '}synchronised`, async (t) => {
      const host = new TimeSourceHost(t);
      host.perl(`printf 'adjtimex ${state}'`);
      assert.equal(await host.timeSync().isSynchronised(signal), isSynchronised);
    });
  }

  const failures: readonly (readonly [name: string, script: string])[] = [
    ['fail', 'echo yes; printf "adjtimex 0"; exit 1'],
    ['print nothing', ''],
    ['print something else', 'echo "yes, sir"; printf "adjtimex 6"'],
    ['may not make the call', 'printf "adjtimex -1"'],
    ['print endlessly', 'while :; do echo yes; done'],
    ['are killed', 'echo yes; kill -9 $$'],
  ];
  for (const [name, script] of failures) {
    it(`programs that ${name} prove nothing, without waiting for the deadline`, {
      timeout: 20_000,
    }, async (t) => {
      const host = new TimeSourceHost(t);
      const clock = new VirtualClock();
      const timeSync = host.timeSync({ clock });
      host.timedatectl(script);
      host.perl(script);
      assert.equal(await timeSync.isSynchronised(signal), false);
      assert.equal(await timeSync.confirmsStep(signal), false);
      assert.deepEqual([clock.sleeping, getEventListeners(signal, 'abort').length], [0, 0], 'left behind');
    });
  }

  it('hanging programs are killed at the deadline, with the processes they started', async (t) => {
    const host = new TimeSourceHost(t);
    for (const hang of [
      'sleep 1000',
      'sleep 1000 & echo $! >> $0.pids; wait',
      'sleep 1000 & echo $! >> $0.pids',
    ]) {
      host.timedatectl(`echo $$ >> $0.pids; ${hang}`);
      host.perl(`echo $$ >> $0.pids; ${hang}`);
      assert.equal(await host.timeSync({ deadlineMs: 300 }).isSynchronised(signal), false);
    }
    for (const name of ['timedatectl', 'perl']) {
      const pids = readFileSync(`${host.root}/${name}.pids`, 'utf8').trim().split('\n');
      for (const pid of pids) await waitForExit(Number(pid));
    }
  });

  it('hanging programs do not delay a stop', async (t) => {
    const host = new TimeSourceHost(t);
    host.timedatectl('kill -WINCH $PPID; sleep 1000');
    const stop = new AbortController();
    // Not SIGUSR2, at which the test runner of Node 24 leaves a report in the directory.
    const started = new Promise((resolve) => process.once('SIGWINCH', resolve));
    const checking = host.timeSync({ deadlineMs: 60_000 }).isSynchronised(stop.signal);
    await started;
    const beforeMs = performance.now();
    stop.abort();
    assert.equal(await checking, false);
    assert.ok(performance.now() - beforeMs < 5000);
  });

  it('the programs get PATH and LC_ALL, and no other variable of the agent', async (t) => {
    const host = new TimeSourceHost(t);
    process.env['FIRSTLIGHT_DEVICE_TOKEN'] = 'hush-hush';
    t.after(() => delete process.env['FIRSTLIGHT_DEVICE_TOKEN']);
    host.timedatectl(`env > ${host.root}/env`);
    await host.timeSync().isSynchronised(signal);
    const names = readFileSync(`${host.root}/env`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    const shellVariables = new Set(['PWD', 'SHLVL', '_', 'OLDPWD']);
    assert.deepEqual(names.filter((name) => !shellVariables.has(name ?? '')).sort(), ['LC_ALL', 'PATH']);
  });
});

describe('a host without a time source', () => {
  const checkRepeatedly = async (
    t: TestContext,
    times: number,
    prepare: (host: TimeSourceHost) => void = () => {},
  ) => {
    const host = new TimeSourceHost(t);
    host.remove('timedatectl');
    prepare(host);
    const timeSync = host.timeSync({ arch: 'pdp11' });
    for (let time = 0; time < times; time++) assert.equal(await timeSync.isSynchronised(signal), false);
    return host.log.logged;
  };

  it('a host without a time source is logged once with the remedy, after 30 s', async (t) => {
    assert.deepEqual(await checkRepeatedly(t, 14), []);
    const events = await checkRepeatedly(t, 40);
    assert.deepEqual(
      events.map(({ level }) => level),
      ['warn'],
    );
    assert.match(events[0]?.message ?? '', /clock\.trust = "system"/);
  });

  it('nothing is logged while timesyncd runs without success', async (t) => {
    assert.deepEqual(await checkRepeatedly(t, 40, (host) => host.startTimesyncd()), []);
  });

  it('perl is not used on an unknown architecture', async (t) => {
    await checkRepeatedly(t, 1, (host) => host.perl('printf "adjtimex 0"'));
  });
});

describe('on this host', () => {
  it('perl reports the state that adjtimex returns', async (t) => {
    const real = { timedatectl: '/nonexistent', perl: 'perl' };
    const kernel = kernelState();
    if (kernel === undefined) return t.skip('no perl, or no permission to query the kernel');
    const timeSync = new TimeSourceHost(t).timeSync({ commands: real, arch: process.arch });
    assert.equal(await timeSync.isSynchronised(signal), kernel !== 5);
  });

  it('timedatectl agrees with perl', async (t) => {
    const kernel = kernelState();
    const output = outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
    if (output === undefined) return t.skip('no timedatectl here, or no D-Bus');
    if (kernel === undefined) return t.skip('no perl, or no permission to query the kernel');
    const real = { timedatectl: 'timedatectl', perl: '/nonexistent' };
    const timeSync = new TimeSourceHost(t).timeSync({ commands: real });
    assert.equal(await timeSync.isSynchronised(signal), kernel !== 5);
  });
});

/** What adjtimex returns on this host; undefined if it cannot be called. */
function kernelState(): number | undefined {
  const numbers: Readonly<Record<string, number>> = { x64: 159, arm64: 171, arm: 124 };
  const script = `$b = "\\0" x 256; print syscall(${numbers[process.arch]}, $b)`;
  const state = Number(outputOf('perl', ['-e', script]) ?? Number.NaN);
  return state >= 0 ? state : undefined;
}

function outputOf(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
  } catch {
    return undefined;
  }
}

/** Resolves when the process has ended, or is a zombie. */
async function waitForExit(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
