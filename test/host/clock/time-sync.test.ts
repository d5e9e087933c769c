/** The witnesses of a synchronised clock: who is asked, in which order, who is believed, and what they can do to the agent. */

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
  // Every touch is another time.
  let touches = 0;
  const serviceSets = (): void => {
    touches += 1;
    host.touch(5 - touches);
  };
  return { timeSync: host.timeSync(), setByService: serviceSets, setByHand: () => {} };
});

timeSyncContract("the kernel's flag, asked by timedatectl", (t) => {
  const host = new TimeSourceHost(t);
  host.timedatectl('echo no');
  const serviceSets = () => host.timedatectl('echo yes');
  return {
    timeSync: host.timeSync(),
    setByService: serviceSets,
    setByHand: () => host.timedatectl('echo no'),
  };
});

timeSyncContract("the kernel's flag, asked by perl", (t) => {
  const host = new TimeSourceHost(t);
  const replies = (state: number) => host.perl(`printf 'adjtimex ${state}'`);
  replies(5);
  return { timeSync: host.timeSync(), setByService: () => replies(0), setByHand: () => replies(5) };
});

timeSyncContract('the double', () => {
  const timeSync = new ScriptedTimeSync(new VirtualClock());
  const set = (isRight: boolean): void => {
    timeSync.synchronised = isRight;
    timeSync.confirms = isRight;
  };
  return { timeSync, setByService: () => set(true), setByHand: () => set(false) };
});

describe("timesyncd's file", () => {
  it('is proof where the kernel cannot be asked', async (t) => {
    const host = new TimeSourceHost(t);
    host.touch(86_400);
    assert.equal(await host.timeSync().isSynchronised(signal), true);
  });

  it('is none where the kernel says no: somebody has set the clock since, and this may be a restart after it', async (t) => {
    const host = new TimeSourceHost(t);
    host.touch(60);
    host.timedatectl('echo no');
    assert.equal(await host.timeSync().isSynchronised(signal), false);
    host.timedatectl('echo yes');
    assert.equal(await host.timeSync().isSynchronised(signal), true);
  });

  it('confirms no step when it was touched since the last look, but before the step', async (t) => {
    const host = new TimeSourceHost(t);
    const timeSync = host.timeSync();
    host.touch(3600);
    await timeSync.isSynchronised(signal);
    // By the clock after a step forwards, and after one back.
    for (const secondsAgo of [120, -120]) {
      host.touch(secondsAgo);
      assert.equal(await timeSync.confirmsStep(signal), false, `${secondsAgo} s ago`);
    }
    host.touch(60);
    assert.equal(await timeSync.confirmsStep(signal), true);
  });
});

describe('the programs', () => {
  it('are asked in turn: perl only where timedatectl has no answer', async (t) => {
    const host = new TimeSourceHost(t);
    host.timedatectl('echo no');
    host.perl('printf "adjtimex 0"');
    assert.equal(await host.timeSync().isSynchronised(signal), false);
    host.remove('timedatectl');
    assert.equal(await host.timeSync().isSynchronised(signal), true);
    const checkRepeatedly = readFileSync(host.callsPath, 'utf8').replaceAll(/^(\S+ \S+).*$/gm, '$1');
    assert.equal(checkRepeatedly, 'timedatectl show\nperl -e\n');
  });

  for (const [state, isSynchronised] of [0, 1, 2, 3, 4, 5].map((each) => [each, each !== 5] as const)) {
    it(`the kernel's state ${state} means ${isSynchronised ? '' : 'not '}synchronised`, async (t) => {
      const host = new TimeSourceHost(t);
      host.perl(`printf 'adjtimex ${state}'`);
      assert.equal(await host.timeSync().isSynchronised(signal), isSynchronised);
    });
  }

  const useless: readonly (readonly [name: string, script: string])[] = [
    ['fail', 'echo yes; printf "adjtimex 0"; exit 1'],
    ['say nothing', ''],
    ['say something else', 'echo "yes, sir"; printf "adjtimex 6"'],
    ['were refused the call', 'printf "adjtimex -1"'],
    ['talk without end', 'while :; do echo yes; done'],
    ['die of a signal', 'echo yes; kill -9 $$'],
  ];
  for (const [name, script] of useless) {
    it(`that ${name} are no witnesses, long before their deadline`, { timeout: 20_000 }, async (t) => {
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

  it('that hang are killed at their deadline, with all they have started', async (t) => {
    const host = new TimeSourceHost(t);
    for (const hang of [
      'sleep 1000',
      'sleep 1000 & echo $! >> $0.pids; wait',
      'sleep 1000 & echo $! >> $0.pids',
    ]) {
      host.timedatectl(`echo $$ >> $0.pids; ${hang}`);
      host.perl(`echo $$ >> $0.pids; ${hang}`);
      assert.equal(await host.timeSync({ deadlineMs: 100 }).isSynchronised(signal), false);
    }
    for (const name of ['timedatectl', 'perl']) {
      const pids = readFileSync(`${host.root}/${name}.pids`, 'utf8').trim().split('\n');
      for (const pid of pids) await waitForExit(Number(pid));
    }
  });

  it('that hang do not hold up a stop', async (t) => {
    const host = new TimeSourceHost(t);
    host.timedatectl('kill -WINCH $PPID; sleep 1000');
    const stop = new AbortController();
    // Not SIGUSR2, at which the test runner of Node 24 leaves a report in the directory.
    const started = new Promise((resolve) => process.once('SIGWINCH', resolve));
    const asking = host.timeSync({ deadlineMs: 60_000 }).isSynchronised(stop.signal);
    await started;
    const beforeMs = performance.now();
    stop.abort();
    assert.equal(await asking, false);
    assert.ok(performance.now() - beforeMs < 5000);
  });

  it('get a path and a locale, and nothing else of our environment', async (t) => {
    const host = new TimeSourceHost(t);
    process.env['FIRSTLIGHT_DEVICE_TOKEN'] = 'hush-hush';
    t.after(() => delete process.env['FIRSTLIGHT_DEVICE_TOKEN']);
    host.timedatectl(`env > ${host.root}/env`);
    await host.timeSync().isSynchronised(signal);
    const names = readFileSync(`${host.root}/env`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    const own = new Set(['PWD', 'SHLVL', '_', 'OLDPWD']);
    assert.deepEqual(names.filter((name) => !own.has(name ?? '')).sort(), ['LC_ALL', 'PATH']);
  });
});

describe('a host without any witness', () => {
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

  it('is told to the operator once, with the remedy, but not while the host still boots', async (t) => {
    assert.deepEqual(await checkRepeatedly(t, 14), []);
    const events = await checkRepeatedly(t, 40);
    assert.deepEqual(
      events.map(({ level }) => level),
      ['warn'],
    );
    assert.match(events[0]?.message ?? '', /clock\.trust = "system"/);
  });

  it('is not one where timesyncd runs: it has only not succeeded yet', async (t) => {
    assert.deepEqual(await checkRepeatedly(t, 40, (host) => host.startTimesyncd()), []);
  });

  it('of an unknown architecture does not guess the number of the call', async (t) => {
    await checkRepeatedly(t, 1, (host) => host.perl('printf "adjtimex 0"'));
  });
});

describe('on this host', () => {
  it('perl and timedatectl say of the kernel what adjtimex says', async (t) => {
    const real = { timedatectl: '/nonexistent', perl: 'perl' };
    const kernel = kernelState();
    if (kernel === undefined) return t.skip('no perl, or no right to ask the kernel');
    const timeSync = new TimeSourceHost(t).timeSync({ commands: real, arch: process.arch });
    assert.equal(await timeSync.isSynchronised(signal), kernel !== 5);
  });

  it('timedatectl agrees with perl', async (t) => {
    const kernel = kernelState();
    const output = outputOf('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
    if (output === undefined) return t.skip('no timedatectl here, or no D-Bus that it could ask');
    if (kernel === undefined) return t.skip('no perl, or no right to ask the kernel');
    const real = { timedatectl: 'timedatectl', perl: '/nonexistent' };
    const timeSync = new TimeSourceHost(t).timeSync({ commands: real });
    assert.equal(await timeSync.isSynchronised(signal), kernel !== 5);
  });
});

/** What adjtimex returns here; absent where it cannot be asked. */
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

/** Resolves when the process is no more, or is only waiting to be reaped. */
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
