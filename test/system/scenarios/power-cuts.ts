/**
 * Cuts the power of the whole machine at random instants: during a first boot, during operation with an
 * absent server, and during an upgrade.
 *
 * Promise under test: the gateway always comes back by itself as one device with one name; spooled readings
 * arrive; and an interrupted upgrade leaves a gateway that runs and that apt can repair.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { isTrueWithin } from '../../until.ts';
import { copyPackage, install } from '../packages.ts';
import { PowerDisk } from '../power-disk.ts';
import { readingGridOf } from '../reading-grid.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';

/** Violations after which a scenario ends: each costs a minute or two of waiting. */
const PROBLEMS_MAX = 2;
const SIZE_MIB = 900;
const ONLINE_WITHIN_MS = 60_000;
/** From power to telemetry takes 1 to 3 s. */
const FIRST_BOOT_MS = 3_500;
const PROVISIONING_MS = 1_200;
/** An upgrade takes about a second. */
const UPGRADE_MS = 1_500;
/**
 * The shortest interval of the configuration: a power cut loses at most the readings of this time and of one
 * write.
 */
const FLUSH_MS = 5_000;
const FLUSH_OFTEN = '[outbox]\nspool-after = "5s"\nflush-every = "5s"\n';
const WRITTEN_AFTER_MS = FLUSH_MS + 1_500;
/** How long the server is absent before the cut: long enough for a flush. */
const ABSENT_MS = { least: 6_000, more: 7_000 };

/** Each cut gets a disk that has never been booted. */
export async function cutsOfFirstBoots(environment: Environment): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const random = createRandom(environment.seed);
  await using fresh = await newDisk(environment);
  let before = 0;
  for (let cut = 0; cut < count && findings.problems.length < PROBLEMS_MAX; cut += 1) {
    await using disk = await fresh.copy(environment.place);
    await using site = await siteOn(disk);
    const { service } = await site.boot();
    // Every other cut is in the most important second: while the agent provisions.
    const isAimed = cut % 2 === 1;
    if (isAimed) await isTrueWithin(async () => (await service.number('MainPID')) > 0, ONLINE_WITHIN_MS);
    const afterMs = random() * (isAimed ? PROVISIONING_MS : FIRST_BOOT_MS);
    await sleep(afterMs);
    if (site.sandbox.devices().length === 0) before += 1;
    await cutPower(site, disk);
    const since = isAimed ? 'the start of the agent' : 'power-on';
    await expectRecovery(site, findings, `cut ${cut + 1}, ${Math.round(afterMs)} ms after ${since}`);
  }
  findings.figure(`${count} cuts, ${before} of them before the device existed`);
  return findings;
}

/** Cuts the power of one machine repeatedly while it queues readings for an absent server. */
export async function cutsOfRunning(environment: Environment): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const random = createRandom(environment.seed + 1);
  await using disk = await newDisk(environment);
  await using site = await siteOn(disk);
  let [spooled, lost] = [0, 0];
  for (let cut = 0; cut < count && findings.problems.length < PROBLEMS_MAX; cut += 1) {
    const what = `cut ${cut + 1}`;
    await site.boot();
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: the gateway was not online before`);
    const receivedMs = readingGridOf(site.sandbox).lastMs;
    site.sandbox.setKnobs({ dead: true });
    const absentSinceMs = Date.now();
    await sleep(ABSENT_MS.least + random() * ABSENT_MS.more);
    await cutPower(site, disk);
    const cutMs = Date.now();
    site.sandbox.setKnobs({ dead: false });
    await expectRecovery(site, findings, what);
    const flushedMs = cutMs - WRITTEN_AFTER_MS;
    if (flushedMs > absentSinceMs) spooled += Math.floor((flushedMs - absentSinceMs) / 1000);
    lost += await expectBacklog(site, findings, { what, receivedMs, flushedMs });
    await site.cutPower();
  }
  findings.figure(
    `${count} cuts, at least ${spooled} readings were on the disk, ${lost} of the others were lost with the memory`,
  );
  return findings;
}

/** Every second up to the last flush must have its reading; later ones may be lost. Returns how many were. */
async function expectBacklog(
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
  await isTrueWithin(() => early().length === 0, ONLINE_WITHIN_MS);
  for (const { fromMs, toMs } of early())
    findings.problems.push(
      `${what}: no reading from ${iso(fromMs)} to ${iso(toMs)}, although those until ${iso(flushedMs)} were on the disk`,
    );
  const [atTheCut] = ofThisCut();
  // The machine itself was off for a part of the gap; its boots take about two seconds.
  return atTheCut ? Math.max(0, Math.round((flushedMs + WRITTEN_AFTER_MS - atTheCut.fromMs) / 1000)) : 0;
}

export async function cutsOfUpgrades(environment: Environment): Promise<Report> {
  const findings = new Findings();
  const count = Math.ceil(environment.cuts / 3);
  const random = createRandom(environment.seed + 2);
  await using fresh = await newDisk(environment);
  const states: string[] = [];
  for (let cut = 0; cut < count && findings.problems.length < PROBLEMS_MAX; cut += 1) {
    await using disk = await fresh.copy(environment.place);
    await using site = await siteOn(disk);
    const { machine } = await site.boot();
    const inside = await copyPackage(environment.packages.higher, site.root);
    const afterMs = random() * UPGRADE_MS;
    const what = `upgrade cut after ${Math.round(afterMs)} ms`;
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: the gateway was not online before`);
    await machine.run(['sync']);
    const upgrade = machine.run(install(inside));
    await sleep(afterMs);
    await cutPower(site, disk);
    await upgrade;
    const booted = await expectRecovery(site, findings, what);
    states.push(await expectRepair(booted, inside, findings, what));
    findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), `${what}: no telemetry after the repair`);
  }
  findings.figure(`${count} cuts, dpkg left ${[...new Set(states)].sort().join(', ')}`);
  return findings;
}

/** Repairs the package as an operator does. Returns the state of the package in dpkg before the repair. */
async function expectRepair(
  { machine, service }: Booted,
  inside: string,
  findings: Findings,
  what: string,
): Promise<string> {
  const { out: packageState } = await machine.run(['dpkg', '-s', 'firstlight']);
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(packageState)?.[1] ?? 'nothing';
  const state = `${field('Status')} ${field('Version')}`;
  await machine.run(['dpkg', '--configure', '-a', '--force-confold']);
  const { code, out } = await machine.run(install(inside));
  findings.expect(
    code === 0,
    `${what}: apt cannot repair the package: ${out.trim().split('\n').slice(-3).join(' | ')}`,
  );
  findings.expect(
    await isTrueWithin(() => service.isActive(), ONLINE_WITHIN_MS),
    `${what}: not active after the repair`,
  );
  return state.replace('install ok ', '');
}

async function newDisk({ place, installed }: Environment): Promise<PowerDisk> {
  await using root = await installed.root();
  return await PowerDisk.create(place, root.path, SIZE_MIB);
}

async function siteOn(disk: PowerDisk): Promise<Site> {
  const site = await Site.open(disk.path);
  await site.openServer();
  await site.configure(FLUSH_OFTEN);
  // Syncs the operator's files, which exist long before the power cut.
  await disk.remount();
  return site;
}

/** The disk first: last writes of the machine must not count. */
async function cutPower(site: Site, disk: PowerDisk): Promise<void> {
  await disk.cut();
  await site.cutPower();
  await disk.remount();
}

/** Boots again: the gateway must come online by itself, as the same device. */
async function expectRecovery(site: Site, findings: Findings, what: string): Promise<Booted> {
  const booted = await site.boot();
  const isReceiving = await site.isReceiving(ONLINE_WITHIN_MS);
  if (!isReceiving)
    findings.problems.push(
      `${what}: not online after ${ONLINE_WITHIN_MS / 1000} s: ${(await booted.service.status()).trim()}`,
    );
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${what}: ${devices} devices`);
  return booted;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
