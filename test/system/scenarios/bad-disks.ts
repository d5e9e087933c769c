/**
 * A disk that is full or read-only when the gateway boots, before the first provisioning and after it.
 *
 * Promise under test: the status or the log names the reason, the service is not restarted in a loop, a
 * gateway with credentials still delivers, and one without gets them by itself when the disk can be written
 * again.
 */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../../src/core/model/error-code.ts';
import { isTrueWithin } from '../../until.ts';
import { PowerDisk } from '../power-disk.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';

const SIZE_MIB = 700;
const ONLINE_WITHIN_MS = 60_000;
const WATCHED_MS = 20_000;
/** The unit waits at least five seconds between starts; more restarts would be a crash loop. */
const RESTARTS_MAX = 4;
/** The agent retries a failed write after 10 s and with increasing intervals; the unit has its own delays. */
const RECOVERS_WITHIN_MS = 120_000;

export async function fullAtFirstBoot(environment: Environment): Promise<Report> {
  await using disk = await createDisk(environment);
  await using site = await Site.open(disk.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  fill(disk.path);
  const booted = await site.boot();
  await expectNoProvisioning(site, booted, findings, /space|ENOSPC/i);
  rmSync(fillerFile(disk.path));
  const isOnline = await isTrueWithin(() => site.sandbox.devices().length === 1, RECOVERS_WITHIN_MS);
  findings.expect(isOnline, 'the disk has space again, but the agent does not provision');
  findings.expect(
    await site.isReceiving(ONLINE_WITHIN_MS),
    'the disk has space again, but no telemetry arrives',
  );
  return findings;
}

export async function fullLater(environment: Environment): Promise<Report> {
  await using disk = await createDisk(environment);
  await using site = await provisionedSite(disk.path);
  const findings = new Findings();
  fill(disk.path);
  await expectDelivery(site, await site.boot(), findings);
  return findings;
}

export async function readOnlyAtFirstBoot({ installed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  const booted = await site.boot({ readOnly: true });
  await expectNoProvisioning(site, booted, findings, /read-only|EROFS/i);
  return findings;
}

export async function readOnlyLater({ installed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await provisionedSite(root.path);
  const findings = new Findings();
  await expectDelivery(site, await site.boot({ readOnly: true }), findings);
  return findings;
}

/** The agent must not send a provisioning request, and the status or the log must show the reason. */
async function expectNoProvisioning(
  site: Site,
  booted: Booted,
  findings: Findings,
  reason: RegExp,
): Promise<void> {
  await sleep(WATCHED_MS);
  findings.expect(
    site.sandbox.devices().length === 0,
    'the agent provisioned although it cannot store anything',
  );
  await expectNoCrashLoop(booted, findings);
  const isShown = reason.test(await booted.service.status());
  findings.figure(`reason shown by ${isShown ? 'systemctl status' : 'journalctl -u only'}`);
  const log = await booted.service.log();
  findings.expect(
    isShown || reason.test(log),
    `neither the status nor the journal shows the reason: ${log.trim()}`,
  );
}

async function expectDelivery(site: Site, booted: Booted, findings: Findings): Promise<void> {
  findings.expect(
    await site.isReceiving(ONLINE_WITHIN_MS),
    `the agent does not deliver: ${(await booted.service.status()).trim()}`,
  );
  await sleep(WATCHED_MS);
  await expectNoCrashLoop(booted, findings);
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
}

async function expectNoCrashLoop({ service }: Booted, findings: Findings): Promise<void> {
  const restarts = await service.number('NRestarts');
  const state = `${await service.property('ActiveState')}/${await service.property('SubState')}`;
  findings.figure(`${state}, ${restarts} restarts in ${WATCHED_MS / 1000} s`);
  findings.expect(
    restarts <= RESTARTS_MAX,
    `${restarts} restarts in ${WATCHED_MS / 1000} s are a crash loop`,
  );
}

async function createDisk({ place, installed }: Environment): Promise<PowerDisk> {
  await using root = await installed.root();
  return await PowerDisk.create(place, root.path, SIZE_MIB);
}

/** A site whose gateway was online once and was shut down in good order. */
async function provisionedSite(root: string): Promise<Site> {
  const site = await Site.open(root);
  await site.openServer();
  await site.configure();
  const { machine } = await site.boot();
  if (!(await site.isReceiving(ONLINE_WITHIN_MS)))
    throw new Error('the gateway did not come online on a good disk');
  await machine.powerOff();
  return site;
}

/** Fills the disk to the last byte with a foreign file. */
function fill(root: string): void {
  const file = openSync(fillerFile(root), 'w');
  for (const bytes of [1 << 20, 1 << 12, 1]) {
    const chunk = Buffer.alloc(bytes, 1);
    try {
      for (;;) if (writeSync(file, chunk) < bytes) break;
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error;
    }
  }
  closeSync(file);
}

function fillerFile(root: string): string {
  return join(root, 'srv', 'foreign-file');
}
