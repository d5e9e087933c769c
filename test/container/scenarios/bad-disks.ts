/**
 * A disk that is full, or read-only, when the gateway boots; before it was ever provisioned, and afterwards.
 *
 * The promise under test: who looks is told what is wrong, nothing is started over and over, a gateway that has its credentials delivers all the
 * same, and one that has none gets them by itself when the disk takes writes again.
 */

import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../../src/core/model/error-code.ts';
import { PowerDisk } from '../power-disk.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { until } from '../until.ts';

const SIZE_MIB = 700;
const ONLINE_WITHIN_MS = 60_000;
const WATCHED_MS = 20_000;
/** The unit waits five seconds and more between starts; faster is a loop. */
const RESTARTS_MAX = 4;
/** The agent tries a store that refused again after 10 s, growing; a unit that could not start after its own waits. */
const HEALS_WITHIN_MS = 120_000;

export async function fullAtFirstBoot(environment: Ground): Promise<Report> {
  await using disk = await makeDisk(environment);
  await using site = await Site.open(disk.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  fill(disk.path);
  const booted = await site.boot();
  await withoutCredentials(site, booted, findings, /space|ENOSPC/i);
  rmSync(filler(disk.path));
  const isOnline = await until(() => site.sandbox.devices().length === 1, HEALS_WITHIN_MS);
  findings.expect(isOnline, 'the disk has room again, and it does not provision by itself');
  findings.expect(
    await site.isReceiving(ONLINE_WITHIN_MS),
    'the disk has room again, and no telemetry comes',
  );
  return findings;
}

export async function fullLater(environment: Ground): Promise<Report> {
  await using disk = await makeDisk(environment);
  await using site = await provisionedSite(disk.path);
  const findings = new Findings();
  fill(disk.path);
  await withCredentials(site, await site.boot(), findings);
  return findings;
}

export async function readOnlyAtFirstBoot({ installed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.openServer();
  await site.configure();
  const booted = await site.boot({ readOnly: true });
  await withoutCredentials(site, booted, findings, /read-only|EROFS/i);
  return findings;
}

export async function readOnlyLater({ installed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await provisionedSite(root.path);
  const findings = new Findings();
  await withCredentials(site, await site.boot({ readOnly: true }), findings);
  return findings;
}

/** Nothing may be asked of the server, and the reason must be where an operator looks first. */
async function withoutCredentials(
  site: Site,
  booted: Booted,
  findings: Findings,
  reason: RegExp,
): Promise<void> {
  await sleep(WATCHED_MS);
  findings.expect(site.sandbox.devices().length === 0, 'it provisioned though nothing can be stored');
  await calm(booted, findings);
  const isShown = reason.test(await booted.service.status());
  findings.figure(`reason shown by ${isShown ? 'systemctl status' : 'journalctl -u only'}`);
  const log = await booted.service.log();
  findings.expect(isShown || reason.test(log), `neither status nor journal tells the reason: ${log.trim()}`);
}

async function withCredentials(site: Site, booted: Booted, findings: Findings): Promise<void> {
  findings.expect(
    await site.isReceiving(ONLINE_WITHIN_MS),
    `it does not deliver: ${(await booted.service.status()).trim()}`,
  );
  await sleep(WATCHED_MS);
  await calm(booted, findings);
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${devices} devices`);
}

async function calm({ service }: Booted, findings: Findings): Promise<void> {
  const restarts = await service.number('NRestarts');
  const state = `${await service.property('ActiveState')}/${await service.property('SubState')}`;
  findings.figure(`${state}, ${restarts} restarts in ${WATCHED_MS / 1000} s`);
  findings.expect(
    restarts <= RESTARTS_MAX,
    `${restarts} restarts in ${WATCHED_MS / 1000} s are a crash loop`,
  );
}

async function makeDisk({ place, installed }: Ground): Promise<PowerDisk> {
  await using root = await installed.root();
  return await PowerDisk.make(place, root.path, SIZE_MIB);
}

/** Online once, and switched off in good order. */
async function provisionedSite(root: string): Promise<Site> {
  const site = await Site.open(root);
  await site.openServer();
  await site.configure();
  const { machine } = await site.boot();
  if (!(await site.isReceiving(ONLINE_WITHIN_MS))) throw new Error('it did not come online on a good disk');
  await machine.powerOff();
  return site;
}

/** To the last byte, by somebody else. */
function fill(root: string): void {
  const file = openSync(filler(root), 'w');
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

function filler(root: string): string {
  return join(root, 'srv', 'somebody-elses');
}
