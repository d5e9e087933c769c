/**
 * A process that crashes or hangs: killed twenty times at random instants, stopped with SIGSTOP, and each of
 * its loops blocked.
 *
 * Promise under test: the gateway always comes back as the same device, and the watchdog detects a hang in
 * either loop.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { isTrueWithin } from '../../until.ts';
import { blockerOf, type Loop, makeBlockable } from '../blockable.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';

const KILLS = 20;
/** A start takes about half a second, so some of the kills interrupt it. */
const KILLED_WITHIN_MS = 1_500;
const ONLINE_WITHIN_MS = 60_000;
/** Replaces the delays of the unit, with which twenty kills would take minutes. */
const RESTART_AT_ONCE = ['[Service]', 'RestartSec=100ms', 'RestartSteps=0'];
const WATCHDOG_S = 6;
const SHORT_WATCHDOG = ['[Service]', `WatchdogSec=${WATCHDOG_S}s`, 'RestartSec=500ms', 'RestartSteps=0'];
/**
 * A delivery step may take three minutes (src/core/health/deadlines.ts); only then does the time of the
 * watchdog begin.
 */
const DETECTED_WITHIN_MS = 240_000;

export async function kills({ installed, seed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  await site.dropIn('restart-at-once', RESTART_AT_ONCE);
  const { machine, service } = await site.boot();
  const random = createRandom(seed);
  let killedPid = '0';
  for (let kill = 0; kill < KILLS; kill += 1) {
    const isUp = await isTrueWithin(async () => {
      const pid = await service.property('MainPID');
      if (pid === '' || pid === '0' || pid === killedPid) return false;
      killedPid = pid;
      return true;
    }, ONLINE_WITHIN_MS);
    findings.expect(isUp, `the agent did not restart after kill ${kill}`);
    await sleep(random() * KILLED_WITHIN_MS);
    await machine.run(['kill', '-9', killedPid]);
  }
  await isTrueWithin(async () => (await service.number('NRestarts')) >= KILLS, ONLINE_WITHIN_MS);
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `no telemetry after ${KILLS} kills`);
  findings.expect(
    await service.isActive(),
    `after ${KILLS} kills the service is ${await service.property('ActiveState')}`,
  );
  const restarts = await service.number('NRestarts');
  findings.figure(`${restarts} restarts`);
  findings.expect(restarts >= KILLS, `${KILLS} kills made ${restarts} restarts`);
  expectOneDevice(site, findings);
  return findings;
}

/** SIGSTOP: the process exists and does nothing. */
export function stopped(environment: Environment): Promise<Report> {
  return testHang(environment, undefined, async ({ machine, service }) => {
    await machine.run(['kill', '-STOP', await service.property('MainPID')]);
  });
}

export function samplingBlocked(environment: Environment): Promise<Report> {
  return testBlockedLoop(environment, 'runSampling');
}

export function sessionBlocked(environment: Environment): Promise<Report> {
  return testBlockedLoop(environment, 'runSession');
}

function testBlockedLoop(environment: Environment, loop: Loop): Promise<Report> {
  return testHang(environment, loop, async ({ machine }) => {
    await machine.run(['touch', blockerOf(loop)]);
  });
}

async function testHang(
  { installed }: Environment,
  loop: Loop | undefined,
  hang: (booted: Booted) => Promise<void>,
): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  // `stopped` notifies by the socket that systemd passes alone, the other scenarios by processes.
  const isSocketPassed = loop === undefined;
  await site.dropIn('short-watchdog', isSocketPassed ? SHORT_WATCHDOG : [...SHORT_WATCHDOG, 'OpenFile=']);
  if (isSocketPassed) await rm(join(root.path, 'usr/bin/systemd-notify'));
  if (loop !== undefined) await makeBlockable(root.path, loop);
  const booted = await site.boot();
  const { machine, service } = booted;
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'the gateway did not come online');
  if (!(await service.property('Type')).startsWith('notify')) {
    findings.skip('the watchdog: the unit is not Type=notify');
    return findings;
  }
  const { out } = await machine.sh(`tr '\\0' ' ' < /proc/${await service.property('MainPID')}/environ`);
  findings.expect(out.includes('NOTIFY_SOCKET='), `the environment of the agent is "${out.trim()}"`);
  const hasSocket = out.includes('LISTEN_FDNAMES=notify ');
  findings.expect(hasSocket === isSocketPassed, `the socket is ${hasSocket ? '' : 'not '}passed`);
  // Longer than the watchdog's time: without a fault it must not restart the agent.
  await sleep(1.5 * WATCHDOG_S * 1000);
  findings.expect((await service.number('NRestarts')) === 0, 'the watchdog restarted a healthy agent');
  const hungMs = performance.now();
  await hang(booted);
  const isDetected = await isTrueWithin(
    async () => (await service.number('NRestarts')) > 0,
    DETECTED_WITHIN_MS,
  );
  const tookS = ((performance.now() - hungMs) / 1000).toFixed(1);
  findings.expect(isDetected, `the hang was not detected within ${tookS} s`);
  if (!isDetected) return findings;
  findings.figure(`restarted after ${tookS} s, watchdog ${WATCHDOG_S} s`);
  findings.expect(/watchdog timeout/i.test(await service.log()), 'the journal has no watchdog timeout');
  if (loop !== undefined) await machine.run(['rm', blockerOf(loop)]);
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'no telemetry after the watchdog');
  expectOneDevice(site, findings);
  return findings;
}

function expectOneDevice(site: Site, findings: Findings): void {
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
}
