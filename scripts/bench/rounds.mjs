/**
 * The cost of the agent for one interval of 10 s, the default, as the systemd unit runs it: with the status file in memory and
 * the notifications to systemd, child processes included. At short intervals the caches are hot, which flatters.
 *
 * A second agent runs with --trace-gc: the growth of its heap between two collections is what a reading allocates.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../lib/prepare.mjs';
import { flagsOfTheUnit, sleep, start } from './programs.mjs';

const INTERVAL_S = 10;
const WARM_UP_S = 60;
const MEASURED_S = 300;
const CPU_MS_MAX = 6;
const GARBAGE_KB_MAX = 100;
const MEMORY = '/dev/shm';

export async function measureRounds(bundle, sandbox) {
  const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'firstlight-bench-'));
  const service = await openService(join(directory, 'notify'));
  try {
    const agent = start(
      [...flagsOfTheUnit(), bundle, ...sandbox.home({ intervalS: INTERVAL_S })],
      { RUNTIME_DIRECTORY: directory, ...service?.environment },
      service?.wrapper,
    );
    const traced = start([
      ...flagsOfTheUnit(),
      '--trace-gc',
      bundle,
      ...sandbox.home({ intervalS: INTERVAL_S }),
    ]);
    await sleep(WARM_UP_S * 1000);
    const before = cpuOf(agent.pid);
    await sleep(MEASURED_S * 1000);
    const after = cpuOf(agent.pid);
    const { garbageKb, gcMs } = garbageIn(traced.seen);
    await Promise.all([agent.stop(), traced.stop()]);
    const rounds = MEASURED_S / INTERVAL_S;
    const total = (after.ownMs + after.childrenMs - before.ownMs - before.childrenMs) / rounds;
    const label = service ? '' : ', without notifications to systemd';
    return [
      { name: `CPU a round of 10 s, children included${label}`, value: total, unit: 'ms', max: CPU_MS_MAX },
      { name: 'of it children', value: (after.childrenMs - before.childrenMs) / rounds, unit: 'ms' },
      { name: 'garbage a reading', value: garbageKb, unit: 'kB', max: GARBAGE_KB_MAX },
      { name: 'garbage collection a reading', value: gcMs, unit: 'ms' },
    ];
  } finally {
    service?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Own threads by the scheduler, ns; ended children by proc(5), in ticks of 10 ms. */
function cpuOf(pid) {
  const ownNs = readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { ownMs: ownNs / 1e6, childrenMs: (Number(fields[13]) + Number(fields[14])) * 10 };
}

/** `Mark-Compact 7.1 (9.2) -> 5.0 (9.2) MB, 12.3 / …`: from the first collection after the warm-up on. */
function garbageIn(lines) {
  const collections = lines
    .filter(({ ms }) => ms > WARM_UP_S * 1000)
    .map(({ text, ms }) => {
      const [, before, after, tookMs] =
        text.match(/ ([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB, ([\d.]+)/) ?? [];
      return { ms, beforeMb: Number(before), afterMb: Number(after), tookMs: Number(tookMs) };
    })
    .filter(({ tookMs }) => Number.isFinite(tookMs));
  const [first, ...rest] = collections;
  if (!first || rest.length === 0) return { garbageKb: Number.NaN, gcMs: Number.NaN };
  const readings = (rest.at(-1).ms - first.ms) / (INTERVAL_S * 1000);
  const grownMb = rest.reduce((sum, { beforeMb }, index) => sum + beforeMb - collections[index].afterMb, 0);
  return {
    garbageKb: (grownMb * 1000) / readings,
    gcMs: rest.reduce((sum, { tookMs }) => sum + tookMs, 0) / readings,
  };
}

const LISTENER = join(root, 'scripts/lib/notify-listener.pl');
const PASS_SOCKET = join(root, 'scripts/lib/pass-socket.pl');

/** systemd's end of the notifications, as in the unit; undefined without perl. */
async function openService(socket) {
  if (!existsSync('/usr/bin/perl')) return undefined;
  const listener = spawn('perl', [LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => listener.stdout.once('data', resolve));
  listener.stdout.resume();
  return {
    environment: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '180000000' },
    wrapper: ['perl', PASS_SOCKET, socket],
    close: () => listener.kill(),
  };
}
