/**
 * Updates that the server assigns, on a booted Debian, and power cuts at random instants of them.
 *
 * Promise under test: assigned in the server, the gateway downloads, installs and reports the update; after a power cut at any
 * instant it ends in the new version, or in the old one if the new one is bad, online, as one device, and no reading that was
 * acknowledged is lost.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../src/sandbox/core/random.ts';
import { PowerDisk } from '../power-disk.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { until } from '../until.ts';
import { type Fault, UpdateVersions } from './update-versions.ts';
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
  await until(() => statesOf(site).at(-1) === 'UPDATED', ONLINE_WITHIN_MS);
  const states = statesOf(site).join(' ');
  const expected = 'QUEUED INITIATED DOWNLOADING DOWNLOADED VERIFIED UPDATING UPDATED';
  findings.expect(states === expected, `the states were ${states}`);
  const reported = lastOf(site, 'current_sw_version');
  findings.expect(reported === VERSION, `the reported version is ${reported}`);

  assign(site, '0.1.2', await versions.update('0.1.2', 'crash'));
  const hasFailed = await until(() => statesOf(site).at(-1) === 'FAILED', UPDATED_WITHIN_MS);
  findings.expect(hasFailed, `a version that crashes was not reported: ${statesOf(site).join(' ')}`);
  const error = String(lastOf(site, 'sw_error'));
  findings.expect(error.includes('ended by itself'), `sw_error is ${error}`);
  await expectEnd(site, booted, VERSION, findings, 'after a version that crashes');
  return findings;
}

/** Half of the cuts hit the download, half what follows; every third version crashes. */
export async function cutsOfUpdates(environment: Environment): Promise<Report> {
  const { place, installed, packages, seed } = environment;
  const findings = new Findings();
  const random = createRandom(seed + 17);
  const versions = new UpdateVersions(join(place, 'cut-versions'), packages.higher);
  await using root = await installed.root();
  await shortenGate(root.path);
  await using fresh = await PowerDisk.create(place, root.path, SIZE_MIB);
  const good = await versions.update(VERSION);
  const bad = await versions.update(VERSION, 'crash');
  const phases: Record<string, number> = {};
  // Each takes about 50 s: a third of those of the other scenarios (--cuts 60 cuts twenty times).
  const cuts = Math.ceil(environment.cuts / 3);
  for (let cut = 0; cut < cuts && findings.problems.length < PROBLEMS_MAX; cut += 1) {
    await using disk = await fresh.copy(place);
    await using site = await openSite(disk.path, versions);
    await disk.remount();
    const fault: Fault | undefined = cut % 3 === 2 ? 'crash' : undefined;
    const phase = await cutOnce(site, disk, { fault, update: fault ? bad : good, cut, random });
    phases[phase] = (phases[phase] ?? 0) + 1;
    const what = `cut ${cut + 1} during ${phase}${fault ? ' of a version that crashes' : ''}`;
    const booted = await site.boot();
    await expectEnd(site, booted, fault ? BEFORE : VERSION, findings, what);
  }
  const counts = Object.entries(phases).map(([phase, count]) => `${count} during ${phase}`);
  findings.figure(`${cuts} cuts: ${counts.join(', ')}`);
  return findings;
}

async function cutOnce(
  site: Site,
  disk: PowerDisk,
  { update, cut, random }: { fault: Fault | undefined; update: Buffer; cut: number; random: () => number },
): Promise<string> {
  const { machine } = await site.boot();
  await site.isReceiving(ONLINE_WITHIN_MS);
  await machine.run(['sync']);
  assign(site, VERSION, update);
  const isLate = cut % 2 === 1;
  const state = join(site.root, REQUESTED);
  if (isLate) await until(() => existsSync(state), UPDATED_WITHIN_MS);
  // The short steps of dpkg are hit by every other late cut.
  await sleep(random() * (cut % 4 === 1 ? 4_000 : PHASE_MS));
  const { out } = await machine.run(['cat', '/var/lib/firstlight-update/run/state.json']);
  const phase = /"at":"(\w+)"/.exec(out)?.[1] ?? (isLate ? 'the end' : 'download');
  await disk.cut();
  await site.cutPower();
  await disk.remount();
  return phase;
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
): Promise<void> {
  let out = '';
  const hasEnded = await until(async () => {
    await sleep(1_000);
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
