/**
 * Updates that the server assigns, on a booted Debian, and power cuts at random instants of them.
 *
 * Promise under test: assigned in the server, the gateway downloads, installs and reports the update; after a power cut at any
 * instant it ends in the new version, or in the old one if the new one is bad, online, as one device, and no reading that was
 * acknowledged is lost.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { isTrueWithin } from '../../until.ts';
import type { Machine } from '../machine.ts';
import { PowerDisk } from '../power-disk.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { AcknowledgedReadings } from './acknowledged-readings.ts';
import { UpdateVersions } from './update-versions.ts';
import { shortenGate, WATCHDOG } from './updates.ts';

const SIZE_MIB = 900;
const ONLINE_WITHIN_MS = 90_000;
/** Download, installation and health gate take about 90 s on an idle machine. */
const UPDATED_WITHIN_MS = 400_000;
const PROBLEMS_MAX = 2;
const NO_SPREAD = '[update]\nspread = "0s"\n';
const [BEFORE, VERSION] = ['the installed one', '0.1.1'];
/** The download takes 45 s; what follows, until the health gate ends, 45 s. */
const PHASE_MS = 45_000;
const DPKG_MS = 4_000;
const RETURN_MS = 2_500;
/** From power-on. */
const NEXT_RETURN_MS = 8_000;
const READ_EVERY_POLLS = 40;
const RESULT = '/var/lib/firstlight-update/result.json';
const REQUESTED = join('var', 'lib', 'firstlight-update', 'run', 'state.json');

export async function assignedUpdate({ place, installed, packages }: Environment): Promise<Report> {
  await using root = await installed.root();
  const versions = new UpdateVersions(join(place, 'assigned-versions'), packages.higher);
  await using site = await openSite(root.path, versions);
  const findings = new Findings();
  const booted = await site.boot();
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'the gateway was not online before');
  const beganMs = performance.now();
  assign(site, VERSION, await versions.update(VERSION));
  await expectEnd(site, booted, VERSION, findings, 'assigned');
  findings.figure(`updated in ${Math.round((performance.now() - beganMs) / 1000)} s`);
  await isTrueWithin(() => statesOf(site).at(-1) === 'UPDATED', ONLINE_WITHIN_MS);
  const states = statesOf(site).join(' ');
  const expected = 'QUEUED INITIATED DOWNLOADING DOWNLOADED VERIFIED UPDATING UPDATED';
  findings.expect(states === expected, `the states were ${states}`);
  const reported = lastOf(site, 'current_sw_version');
  findings.expect(reported === VERSION, `the reported version is ${reported}`);

  assign(site, '0.1.2', await versions.update('0.1.2', 'crash'));
  const hasFailed = await isTrueWithin(() => statesOf(site).at(-1) === 'FAILED', UPDATED_WITHIN_MS);
  findings.expect(hasFailed, `a version that crashes was not reported: ${statesOf(site).join(' ')}`);
  const error = String(lastOf(site, 'sw_error'));
  findings.expect(error.includes('ended by itself'), `sw_error is ${error}`);
  await expectEnd(site, booted, VERSION, findings, 'after a version that crashes');
  return findings;
}

/** Half of the cuts hit the download, half what follows; every third version crashes. */
export async function cutsOfUpdates(environment: Environment): Promise<Report> {
  // Each takes about 50 s: a third of those of the other scenarios (--cuts 60 cuts twenty times).
  const count = Math.ceil(environment.cuts / 3);
  return cutsOf(environment, { seed: 17, count }, (cut) => ({
    isBad: cut % 3 === 2,
    aim: cut % 2 === 0 ? 'download' : 'installation',
    // The short steps of dpkg are hit by every other late cut.
    withinMs: cut % 4 === 1 ? DPKG_MS : PHASE_MS,
  }));
}

/** Cuts the power while the old version comes back, every other time twice. */
export async function cutsOfReturns(environment: Environment): Promise<Report> {
  const count = Math.ceil(environment.cuts / 12);
  return cutsOf(environment, { seed: 18, count }, (cut) => ({
    isBad: true,
    aim: 'return',
    withinMs: RETURN_MS,
    again: cut % 2 === 1,
  }));
}

interface Cut {
  /** The version crashes. */
  readonly isBad: boolean;
  readonly aim: 'download' | 'installation' | 'return';
  /** How long after the beginning of what it is aimed at. */
  readonly withinMs: number;
  /** The next boot is cut, too. */
  readonly again?: boolean;
}

async function cutsOf(
  environment: Environment,
  { seed, count }: { readonly seed: number; readonly count: number },
  describe: (cut: number) => Cut,
): Promise<Report> {
  const { place, installed, packages } = environment;
  const findings = new Findings();
  const random = createRandom(environment.seed + seed);
  const versions = new UpdateVersions(join(place, `cut-versions-${seed}`), packages.higher);
  await using root = await installed.root();
  await shortenGate(root.path);
  await using fresh = await PowerDisk.create(place, root.path, SIZE_MIB);
  const good = await versions.update(VERSION);
  const bad = await versions.update(VERSION, 'crash');
  const phases: Record<string, number> = {};
  let [acknowledged, stored] = [0, 0];
  for (let cut = 0; cut < count && findings.problems.length < PROBLEMS_MAX; cut += 1) {
    await using disk = await fresh.copy(place);
    await using site = await openSite(disk.path, versions);
    await disk.remount();
    const plan = describe(cut);
    const readings = new AcknowledgedReadings();
    const { machine } = await site.boot();
    await site.isReceiving(ONLINE_WITHIN_MS);
    await machine.run(['sync']);
    assign(site, VERSION, plan.isBad ? bad : good);
    const cutOnce = async (booted: Machine, withinMs = plan.withinMs) => {
      const aimed = { ...plan, withinMs };
      const phase = await cutDuring(site, { disk, machine: booted, plan: aimed, random, readings });
      phases[phase] = (phases[phase] ?? 0) + 1;
      return phase;
    };
    const phase = await cutOnce(machine);
    if (plan.again) await cutOnce((await site.boot()).machine, NEXT_RETURN_MS);
    const what = `cut ${cut + 1} during ${phase}${plan.isBad ? ' of a version that crashes' : ''}`;
    const booted = await site.boot();
    await expectEnd(site, booted, plan.isBad ? BEFORE : VERSION, findings, what, readings);
    const count = AcknowledgedReadings.storedIn(site.sandbox);
    findings.expect(
      readings.count <= count,
      `${what}: ${readings.count} readings were acknowledged, ${count} are stored`,
    );
    findings.expect(readings.processes >= 2, `${what}: ${readings.processes} processes were looked at`);
    [acknowledged, stored] = [acknowledged + readings.count, stored + count];
  }
  const counts = Object.entries(phases).map(([phase, count]) => `${count} during ${phase}`);
  findings.figure(`${count} cuts: ${counts.join(', ')}`);
  findings.figure(`${acknowledged} readings acknowledged, ${stored} stored`);
  return findings;
}

async function cutDuring(
  site: Site,
  {
    disk,
    machine,
    plan: { aim, withinMs },
    random,
    readings,
  }: {
    readonly disk: PowerDisk;
    readonly machine: Machine;
    readonly plan: Cut;
    readonly random: () => number;
    readonly readings: AcknowledgedReadings;
  },
): Promise<string> {
  const state = () => phaseIn(join(site.root, REQUESTED));
  let polls = 0;
  if (aim !== 'download')
    await isTrueWithin(async () => {
      if (polls++ % READ_EVERY_POLLS === 0) await readings.read(machine);
      return aim === 'return' ? state() === 'return' : state() !== undefined;
    }, UPDATED_WITHIN_MS);
  await sleep(random() * withinMs);
  await readings.read(machine);
  const phase = state() ?? (aim === 'download' ? aim : 'the end');
  await disk.cut();
  await site.cutPower();
  await disk.remount();
  return phase;
}

/** The state of an update that is in progress. */
function phaseIn(file: string): string | undefined {
  try {
    return /"at":"(\w+)"/.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

async function openSite(root: string, versions: UpdateVersions): Promise<Site> {
  const site = await Site.open(root);
  await site.openServer();
  await site.configure(NO_SPREAD);
  await site.dropIn('watchdog', WATCHDOG);
  await shortenGate(root);
  await versions.trust(root);
  return site;
}

function assign({ sandbox }: Site, version: string, data: Buffer): void {
  const [device] = sandbox.devices();
  if (!device) throw new Error('there is no device');
  sandbox.core.admin.assignPackage(device.name, 'software', { title: 'firstlight', version, data });
}

/** Waits until the version is whole and its update has ended, then expects it online as the only device. */
async function expectEnd(
  site: Site,
  { machine, service }: Booted,
  version: string,
  findings: Findings,
  what: string,
  readings = new AcknowledgedReadings(),
): Promise<void> {
  let out = '';
  const hasEnded = await isTrueWithin(async () => {
    await sleep(1_000);
    await readings.read(machine);
    ({ out } = await machine.sh(
      `(dpkg-query -W -f='\${Status} \${Version}\n' firstlight; cat ${RESULT}; ls /${REQUESTED}) 2>/dev/null`,
    ));
    const isWhole = out.startsWith('install ok installed ') && !out.includes('state.json');
    const isExpected = version === BEFORE ? out.includes('"failed"') : out.includes(`installed ${version}\n`);
    return isWhole && isExpected && out.includes('"outcome"');
  }, UPDATED_WITHIN_MS);
  if (!hasEnded) {
    const { out: log } = await machine.sh('journalctl -b --no-pager -u firstlight-update | tail -5');
    findings.problems.push(`${what}: not ${version}: ${out.trim()} | ${log.trim()}`);
  }
  const isReceiving = await site.isReceiving(ONLINE_WITHIN_MS);
  findings.expect(isReceiving, `${what}: not online: ${(await service.status()).trim()}`);
  await readings.read(machine);
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${what}: ${devices} devices`);
}

function valuesOf({ sandbox }: Site, key: string): readonly unknown[] {
  return sandbox.points({ key }).map(({ value }) => value);
}

const lastOf = (site: Site, key: string): unknown => valuesOf(site, key).at(-1);

/** Without repetitions. */
function statesOf(site: Site): readonly string[] {
  const states = valuesOf(site, 'sw_state').map(String);
  return states.filter((state, index) => state !== states[index - 1]);
}
