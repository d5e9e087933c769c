/**
 * A process that dies or hangs: killed twenty times at random instants, stopped, and each of its loops blocked.
 *
 * The promise under test: it always comes back, as the same device; and the watchdog notices a hang, whichever loop it is that makes no
 * progress.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { blockerOf, type Loop, makeBlockable } from '../blockable.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { until } from '../until.ts';

const KILLS = 20;
/** Start takes about half a second: some of the kills are in the middle of it. */
const KILLED_WITHIN_MS = 1_500;
const ONLINE_WITHIN_MS = 60_000;
/** Instead of the unit's own, or twenty kills would take minutes. */
const RESTART_AT_ONCE = ['[Service]', 'RestartSec=100ms', 'RestartSteps=0'];
const WATCHDOG_S = 6;
const SHORT_WATCHDOG = ['[Service]', `WatchdogSec=${WATCHDOG_S}s`, 'RestartSec=500ms', 'RestartSteps=0'];
/** The agent is patient: a turn of delivery may take three minutes (src/core/patience.ts), and then the watchdog's time begins. */
const NOTICED_WITHIN_MS = 240_000;

export async function kills({ installed, seed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  await site.dropIn('restart-at-once', RESTART_AT_ONCE);
  const { machine, service } = await site.boot();
  const roll = createRandom(seed);
  let killed = '0';
  for (let kill = 0; kill < KILLS; kill += 1) {
    const isUp = await until(async () => {
      const pid = await service.property('MainPID');
      if (pid === '' || pid === '0' || pid === killed) return false;
      killed = pid;
      return true;
    }, ONLINE_WITHIN_MS);
    findings.expect(isUp, `after kill ${kill} it did not come back`);
    await sleep(roll() * KILLED_WITHIN_MS);
    await machine.run(['kill', '-9', killed]);
  }
  await until(async () => (await service.number('NRestarts')) >= KILLS, ONLINE_WITHIN_MS);
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `no telemetry after ${KILLS} kills`);
  findings.expect(
    await service.isActive(),
    `after ${KILLS} kills the service is ${await service.property('ActiveState')}`,
  );
  const restarts = await service.number('NRestarts');
  findings.figure(`${restarts} restarts`);
  findings.expect(restarts >= KILLS, `${KILLS} kills made ${restarts} restarts`);
  sameDevice(site, findings);
  return findings;
}

/** SIGSTOP: the process is there and does nothing. */
export function stopped(environment: Ground): Promise<Report> {
  return watched(environment, undefined, async ({ machine, service }) => {
    await machine.run(['kill', '-STOP', await service.property('MainPID')]);
  });
}

export function sampleBlocked(environment: Ground): Promise<Report> {
  return blocked(environment, 'sample');
}

export function converseBlocked(environment: Ground): Promise<Report> {
  return blocked(environment, 'converse');
}

function blocked(environment: Ground, loop: Loop): Promise<Report> {
  return watched(environment, loop, async ({ machine }) => {
    await machine.run(['touch', blockerOf(loop)]);
  });
}

async function watched(
  { installed }: Ground,
  loop: Loop | undefined,
  hang: (booted: Booted) => Promise<void>,
): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  await site.dropIn('short-watchdog', SHORT_WATCHDOG);
  if (loop !== undefined) await makeBlockable(root.path, loop);
  const booted = await site.boot();
  const { machine, service } = booted;
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'it did not come online');
  if (!(await service.property('Type')).startsWith('notify')) {
    findings.skip('the watchdog: the unit is not Type=notify');
    return findings;
  }
  // Longer than the watchdog's time: without a fault it must not bite.
  await sleep(1.5 * WATCHDOG_S * 1000);
  findings.expect((await service.number('NRestarts')) === 0, 'the watchdog bit an agent that was well');
  const hungMs = performance.now();
  await hang(booted);
  const isNoticed = await until(async () => (await service.number('NRestarts')) > 0, NOTICED_WITHIN_MS);
  const tookS = ((performance.now() - hungMs) / 1000).toFixed(1);
  findings.expect(isNoticed, `nothing noticed the hang within ${tookS} s`);
  if (!isNoticed) return findings;
  findings.figure(`restarted after ${tookS} s, watchdog ${WATCHDOG_S} s`);
  findings.expect(
    /watchdog timeout/i.test(await service.log()),
    'the journal does not say that it was the watchdog',
  );
  if (loop !== undefined) await machine.run(['rm', blockerOf(loop)]);
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'no telemetry after the watchdog');
  sameDevice(site, findings);
  return findings;
}

function sameDevice(site: Site, findings: Findings): void {
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
}
