/**
 * Signed updates on a booted Debian: `firstlight update apply` with versions that work and versions that fail.
 *
 * Promise under test: a version that works stays; one that crashes, hangs, cannot read its credentials or whose telemetry is
 * refused makes room for the old one, which is online again; and there is always one device.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, Site } from '../site.ts';
import { type Fault, UpdateVersions } from './update-versions.ts';

const ONLINE_WITHIN_MS = 60_000;
/** Of the health gate in these tests; a gateway has ten minutes. */
const GATE_S = 60;
export const WATCHDOG = ['[Service]', 'WatchdogSec=10s'];
const APPLIED_WITHIN_MS = 240_000;
const FAULTS: readonly Fault[] = ['crash', 'hang', 'no-credentials', 'refused-telemetry'];
const REASONS: Readonly<Record<Fault, string>> = {
  crash: 'ended by itself',
  hang: 'did not run',
  'no-credentials': 'credentials',
  'refused-telemetry': 'delivered no telemetry',
};
/** Between the versions of the faults. */
const GOOD = '0.1.11';
const DEFAULTS = '/etc/firstlight/firstlight.toml';
const OPERATOR_LINE = '# A line of the operator.';

export async function updates({ place, installed, packages }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  const versions = new UpdateVersions(join(place, 'update-versions'), packages.higher);
  let applied = 0;
  await site.openServer();
  await site.configure();
  await site.dropIn('watchdog', WATCHDOG);
  await shortenGate(root.path);
  const booted = await site.boot();
  findings.expect(await site.isReceiving(ONLINE_WITHIN_MS), 'the gateway was not online before');
  await expectOff(booted, findings);
  await versions.trust(root.path);
  await booted.machine.run(['systemctl', 'start', 'firstlight-update.path']);

  // The first way back is a package made of the installed files, the others the package of the last update.
  await booted.machine.sh(`echo '${OPERATOR_LINE}' >> ${DEFAULTS}`);
  const { out: lower } = await booted.machine.run(['dpkg-query', '-W', `-f=\${Version}`, 'firstlight']);
  await expectWayBack('crash', lower.trim());
  const good = await apply(site, booted, await versions.update(GOOD));
  findings.figure(`updated in ${good.seconds} s`);
  findings.expect(good.code === 0, `a good version was not installed: ${good.out}`);
  await expectOnline(site, booted, GOOD, findings, 'after the update');
  for (const fault of FAULTS) await expectWayBack(fault, GOOD);
  await expectExposure(booted, findings);
  return findings;

  async function expectWayBack(fault: Fault, installedVersion: string): Promise<void> {
    applied += 1;
    const bad = await apply(site, booted, await versions.update(`0.1.${10 * applied}`, fault));
    const what = `${fault} over ${installedVersion}`;
    findings.figure(`${what}: back in ${bad.seconds} s`);
    findings.expect(bad.code === 1, `${what}: the version stayed: ${bad.out}`);
    findings.expect(bad.out.includes('Not updated: version'), `${what}: no reason: ${bad.out}`);
    findings.expect(bad.out.includes(REASONS[fault]), `${what}: another reason: ${bad.out}`);
    await expectOnline(site, booted, installedVersion, findings, what);
    applied += 1;
  }
}

/** Without a key nothing runs, also if the agent is compromised and asks for it. */
async function expectOff({ machine }: Booted, findings: Findings): Promise<void> {
  await machine.sh('touch /run/firstlight/update-request; sleep 1');
  const { out } = await machine.run(['systemctl', 'show', 'firstlight-update.service', '-p', 'ExecMainPID']);
  findings.expect(out.trim() === 'ExecMainPID=0', `without a key root's part ran: ${out}`);
  await machine.sh('rm /run/firstlight/update-request');
}

export async function shortenGate(root: string): Promise<void> {
  const directory = join(root, 'etc', 'systemd', 'system', 'firstlight-update.service.d');
  await mkdir(directory, { recursive: true });
  const command = `/usr/lib/firstlight/install-update --gate ${GATE_S}`;
  await writeFile(join(directory, 'gate.conf'), `[Service]\nExecStart=\nExecStart=${command}\n`);
}

async function apply(
  site: Site,
  { machine }: Booted,
  update: Buffer,
): Promise<{ code: number | null; out: string; seconds: number }> {
  await writeFile(join(site.root, 'root', 'test.update'), update);
  const beganMs = performance.now();
  const { code, out } = await machine.sh('firstlight update apply /root/test.update 2>&1', APPLIED_WITHIN_MS);
  return { code, out, seconds: Math.round((performance.now() - beganMs) / 1000) };
}

async function expectOnline(
  site: Site,
  { machine, service }: Booted,
  version: string,
  findings: Findings,
  what: string,
): Promise<void> {
  const { out } = await machine.run(['dpkg-query', '-W', `-f=\${Status} \${Version}`, 'firstlight']);
  findings.expect(out.trim() === `install ok installed ${version}`, `${what}: dpkg has ${out}`);
  const isReceiving = await site.isReceiving(ONLINE_WITHIN_MS);
  findings.expect(isReceiving, `${what}: not online: ${(await service.status()).trim()}`);
  const devices = site.sandbox.devices().length;
  findings.expect(devices === 1, `${what}: ${devices} devices`);
  const kept = await machine.run(['grep', '-c', OPERATOR_LINE, DEFAULTS]);
  findings.expect(kept.out.trim() === '1', `${what}: the configuration file of the operator was replaced`);
  const changed = await machine.sh('dpkg --verify firstlight | grep -v " c "');
  findings.expect(changed.out.trim() === '', `${what}: files differ from the package: ${changed.out}`);
  const left = await machine.sh('ls /var/lib/firstlight-update/run');
  findings.expect(left.out.trim() === 'kept.deb\nprogram', `${what}: left behind: ${left.out.trim()}`);
}

async function expectExposure({ machine }: Booted, findings: Findings): Promise<void> {
  const { out } = await machine.run([
    'systemd-analyze',
    'security',
    '--no-pager',
    'firstlight-update.service',
  ]);
  findings.figure(`exposure ${/Overall exposure level for \S+ (\d+\.\d)/.exec(out)?.[1]}`);
}
