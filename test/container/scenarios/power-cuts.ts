/**
 * The power of the whole machine is cut, at random instants of a first boot, of a day on which the server is away now and then, and of an upgrade.
 *
 * The promise under test: it always comes back by itself, as one device under one name; what waited on the disk arrives; and an upgrade that was
 * cut short still leaves a gateway that runs, which apt can repair.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { carry, install } from '../packages.ts';
import { PowerDisk } from '../power-disk.ts';
import { readingGridOf } from '../reading-grid.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { until } from '../until.ts';

/** Violations after which a scenario ends: each costs a minute or two of waiting in vain. */
const ENOUGH = 2;
const SIZE_MIB = 900;
const ONLINE_WITHIN_MS = 60_000;
/** From power to telemetry takes 1 to 3 s. */
const FIRST_BOOT_MS = 3_500;
const PROVISIONING_MS = 1_200;
/** An upgrade takes about a second. */
const UPGRADE_MS = 1_500;
/** The shortest that the configuration allows: a power cut costs at most that, and what it takes to write it. */
const FLUSH_MS = 5_000;
const FLUSH_OFTEN = '[outbox]\nspool-after = "5s"\nflush-every = "5s"\n';
const WRITTEN_AFTER_MS = FLUSH_MS + 1_500;
/** Long enough that something was flushed before the cut. */
const AWAY_MS = { least: 6_000, more: 7_000 };

/** Each with a disk that was never booted before. */
export async function cutsOfFirstBoots(environment: Ground): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const drawMs = createRandom(environment.seed);
  await using fresh = await freshDisk(environment);
  let before = 0;
  for (let cut = 0; cut < count && findings.problems.length < ENOUGH; cut += 1) {
    await using disk = await fresh.copy(environment.place);
    await using site = await siteOn(disk);
    const { service } = await site.boot();
    // Every other one where it matters most: in the second in which the agent provisions.
    const isAimed = cut % 2 === 1;
    if (isAimed) await until(async () => (await service.number('MainPID')) > 0, ONLINE_WITHIN_MS);
    const afterMs = drawMs() * (isAimed ? PROVISIONING_MS : FIRST_BOOT_MS);
    await sleep(afterMs);
    if (site.sandbox.devices().length === 0) before += 1;
    await cutPower(site, disk);
    const since = isAimed ? 'the agent was started' : 'the power came';
    await recovered(site, findings, `cut ${cut + 1}, ${Math.round(afterMs)} ms after ${since}`);
  }
  findings.figure(`${count} cuts, ${before} of them before the device was made`);
  return findings;
}

/** One machine, cut again and again while readings wait for a server that is away. */
export async function cutsOfRunning(environment: Ground): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const drawMs = createRandom(environment.seed + 1);
  await using disk = await freshDisk(environment);
  await using site = await siteOn(disk);
  let [spooled, lost] = [0, 0];
  for (let cut = 0; cut < count && findings.problems.length < ENOUGH; cut += 1) {
    const what = `cut ${cut + 1}`;
    await site.boot();
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: it was not online before`);
    const receivedMs = readingGridOf(site.sandbox).lastMs;
    site.sandbox.setKnobs({ dead: true });
    const awayMs = Date.now();
    await sleep(AWAY_MS.least + drawMs() * AWAY_MS.more);
    await cutPower(site, disk);
    const cutMs = Date.now();
    site.sandbox.setKnobs({ dead: false });
    await recovered(site, findings, what);
    const flushedMs = cutMs - WRITTEN_AFTER_MS;
    if (flushedMs > awayMs) spooled += Math.floor((flushedMs - awayMs) / 1000);
    lost += await backlog(site, findings, { what, receivedMs, flushedMs });
    await site.off();
  }
  findings.figure(
    `${count} cuts, ${spooled} readings at least were on the disk, ${lost} of the others lost with the memory`,
  );
  return findings;
}

/** Every second up to the last flush has its reading; what came after it may be lost. Returns how many were. */
async function backlog(
  { sandbox }: Site,
  findings: Findings,
  {
    what,
    receivedMs,
    flushedMs,
  }: { readonly what: string; readonly receivedMs: number; readonly flushedMs: number },
): Promise<number> {
  const ofThisCut = () => readingGridOf(sandbox).gaps.filter(({ toMs }) => toMs > receivedMs);
  const early = () => ofThisCut().filter(({ fromMs }) => fromMs < flushedMs - 1_000);
  await until(() => early().length === 0, ONLINE_WITHIN_MS);
  for (const { fromMs, toMs } of early())
    findings.problems.push(
      `${what}: nothing from ${iso(fromMs)} to ${iso(toMs)}, though what was read until ${iso(flushedMs)} was on the disk`,
    );
  const [atTheCut] = ofThisCut();
  // The machine itself was off for a part of the gap; its boots take about two seconds.
  return atTheCut ? Math.max(0, Math.round((flushedMs + WRITTEN_AFTER_MS - atTheCut.fromMs) / 1000)) : 0;
}

export async function cutsOfUpgrades(environment: Ground): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const drawMs = createRandom(environment.seed + 2);
  await using fresh = await freshDisk(environment);
  const states: string[] = [];
  for (let cut = 0; cut < count && findings.problems.length < ENOUGH; cut += 1) {
    await using disk = await fresh.copy(environment.place);
    await using site = await siteOn(disk);
    const { machine } = await site.boot();
    const inside = await carry(environment.packages.higher, site.root);
    const afterMs = drawMs() * UPGRADE_MS;
    const what = `upgrade cut after ${Math.round(afterMs)} ms`;
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: it was not online before`);
    await machine.run(['sync']);
    const upgrade = machine.run(install(inside));
    await sleep(afterMs);
    await cutPower(site, disk);
    await upgrade;
    const booted = await recovered(site, findings, what);
    states.push(await repaired(booted, inside, findings, what));
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: no telemetry after the repair`);
  }
  findings.figure(`${count} cuts, dpkg left ${[...new Set(states)].sort().join(', ')}`);
  return findings;
}

/** What an operator does then. Returns what dpkg said of the package before. */
async function repaired(
  { machine, service }: Booted,
  inside: string,
  findings: Findings,
  what: string,
): Promise<string> {
  const { out: known } = await machine.run(['dpkg', '-s', 'firstlight']);
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(known)?.[1] ?? 'nothing';
  const state = `${field('Status')} ${field('Version')}`;
  await machine.run(['dpkg', '--configure', '-a', '--force-confold']);
  const { code, out } = await machine.run(install(inside));
  findings.expect(
    code === 0,
    `${what}: apt cannot repair it: ${out.trim().split('\n').slice(-3).join(' | ')}`,
  );
  findings.expect(
    await until(() => service.isActive(), ONLINE_WITHIN_MS),
    `${what}: not active after the repair`,
  );
  return state.replace('install ok ', '');
}

async function freshDisk({ place, installed }: Ground): Promise<PowerDisk> {
  await using root = await installed.root();
  return await PowerDisk.make(place, root.path, SIZE_MIB);
}

async function siteOn(disk: PowerDisk): Promise<Site> {
  const site = await Site.open(disk.path);
  await site.openServer();
  await site.configure(FLUSH_OFTEN);
  // The operator's files were there long before the power failed.
  await disk.remount();
  return site;
}

/** Disk first: what the machine does in its last instant must not count. */
async function cutPower(site: Site, disk: PowerDisk): Promise<void> {
  await disk.cut();
  await site.off();
  await disk.remount();
}

/** Power is back: it must come online by itself, as the one device. */
async function recovered(site: Site, findings: Findings, what: string): Promise<Booted> {
  const booted = await site.boot();
  const isReceiving = await site.isReceiving(ONLINE_WITHIN_MS);
  if (!isReceiving)
    findings.problems.push(
      `${what}: not online ${ONLINE_WITHIN_MS / 1000} s after: ${(await booted.service.status()).trim()}`,
    );
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${what}: ${devices} devices`);
  return booted;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
