/**
 * The life of a gateway: apt installs the package, first boot with the file on the boot partition, reboot,
 * upgrade, remove, purge.
 *
 * Promise under test: the device exists within 2 s of the start of the service, there is never a second one,
 * no secret is readable for others, and after the purge the machine is what it was before.
 */

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusJson } from '../../../src/cli/status/json.ts';
import { isTrueWithin } from '../../until.ts';
import { differences, filesOf } from '../file-list.ts';
import { isOfEvent, type JournalEntry } from '../gateway-service.ts';
import { copyPackage, install } from '../packages.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { type Booted, PROVISIONING, Site, toml } from '../site.ts';
import { secretLeaks } from './secrecy.ts';

const APPEARS_WITHIN_MS = 2_000;
/** For a loaded machine; the promised durations are checked separately. */
const TIMEOUT_MS = 30_000;
const STATE = '/var/lib/private/firstlight';
const DEFAULTS = '/etc/firstlight/firstlight.toml';
const IMPORTED = '/etc/firstlight/conf.d/00-boot.toml';
const BOOT_PARTITION = join('boot', 'firmware');

export async function life({ bare, packages }: Environment): Promise<Report> {
  await using root = await bare.root();
  await using site = await Site.open(root.path);
  await site.openServer();
  const findings = new Findings();
  await mkdir(join(root.path, BOOT_PARTITION), { recursive: true });
  const lower = await copyPackage(packages.lower, root.path);
  const higher = await copyPackage(packages.higher, root.path);

  let before: ReadonlySet<string>;
  {
    const booted = await site.boot();
    findings.expect(
      (await booted.machine.bootState()) === 'running',
      'the machine without firstlight did not boot without errors',
    );
    before = await filesOf(booted.machine);
    await expectInstall(booted, lower, findings);
    await booted.machine.powerOff();
  }
  const hasImport = existsSync(join(root.path, 'usr/lib/systemd/system/firstlight-import.service'));
  if (hasImport) {
    const file = join(root.path, BOOT_PARTITION, 'firstlight.toml');
    await writeFile(file, toml(site.link.serverAddress, '', PROVISIONING.secret), { mode: 0o755 });
  } else {
    findings.skip('the file on the boot partition: the package has no firstlight-import.service');
    await site.configure();
  }
  {
    const booted = await site.boot();
    await expectFirstBoot(site, booted, findings);
    if (hasImport) await expectImport(root.path, findings);
    await booted.machine.powerOff();
  }
  {
    const booted = await site.boot();
    await expectReboot(site, booted, findings);
    await expectUpgrade(site, booted, higher, findings);
    await expectRemoval(site, booted, before, findings);
  }
  return findings;
}

/** Without a configuration: apt succeeds, the service ends with 78 and logs why. */
async function expectInstall({ machine, service }: Booted, deb: string, findings: Findings): Promise<void> {
  const startedMs = performance.now();
  const { code, out } = await machine.run(install(deb));
  findings.figure(`installed in ${seconds(performance.now() - startedMs)}`);
  findings.expect(code === 0, `apt-get install ended with ${code}: ${lastLine(out)}`);
  const hasEnded = async () =>
    (await service.property('ExecMainStatus')) === '78' && !(await service.isActive());
  if (!(await isTrueWithin(hasEnded, TIMEOUT_MS)))
    findings.problems.push(
      `without a configuration the service did not end with 78: ${(await service.status()).trim()}`,
    );
  const logged = (await service.journal()).filter(({ priority }) => priority === 3);
  findings.expect(
    logged.some(({ message }) => message.includes('server.url')),
    'without a configuration no journal entry of priority 3 names server.url',
  );
}

/**
 * Any user can read the status; it is in a directory in memory that outlives the service, and holds no
 * secret.
 */
async function expectPublicStatus(machine: Booted['machine'], findings: Findings): Promise<void> {
  const runStatus = () => machine.run(['runuser', '-u', 'nobody', '--', 'firstlight', 'status']);
  await isTrueWithin(async () => (await runStatus()).code === 0, TIMEOUT_MS);
  const { code, out } = await runStatus();
  findings.expect(
    code === 0 && out.includes('online'),
    `"firstlight status" as nobody ended with ${code}: ${out.trim()}`,
  );
  const json = await machine.sh('runuser -u nobody -- firstlight status --json 2>/dev/null');
  const { state, credentials } = JSON.parse(json.out) as StatusJson;
  findings.expect(
    state === 'online' && credentials === 'stored',
    `"firstlight status --json" as nobody shows ${state}, credentials ${credentials}`,
  );
}

async function expectFirstBoot(site: Site, { machine, service }: Booted, findings: Findings): Promise<void> {
  if (!(await isTrueWithin(() => site.sandbox.devices().length > 0, TIMEOUT_MS)))
    throw new Error(`no device appeared at the first boot: ${(await service.status()).trim()}`);
  const createdMs = site.sandbox.devices()[0]?.createdAtMs ?? Number.NaN;
  const sinceStartMs = Number(process.hrtime.bigint() / 1_000_000n) - (await service.startedMonotonicMs());
  const appearedMs = createdMs - (Date.now() - sinceStartMs);
  findings.figure(`device after ${seconds(appearedMs)}`);
  findings.expect(
    appearedMs <= APPEARS_WITHIN_MS,
    `the device appeared ${seconds(appearedMs)} after the service's start`,
  );
  findings.expect(await site.isReceiving(TIMEOUT_MS), 'no telemetry was stored at the first boot');
  const state = await machine.bootState();
  findings.expect(
    state === 'running',
    `the first boot ended ${state}: ${(await machine.sh('systemctl --failed --plain --no-legend')).out}`,
  );
  await isTrueWithin(() => service.hasEvent('FL-TELEMETRY-STARTED'), TIMEOUT_MS);
  const journal = await service.journal();
  for (const event of ['FL-AGENT-STARTED', 'FL-PROVISIONING-COMPLETED', 'FL-TELEMETRY-STARTED'] as const)
    findings.expect(
      journal.some((entry) => isOfEvent(entry, event) && entry.priority === 6),
      `no journal entry of priority 6: ${event}`,
    );
  // The addresses of these tests count as public, and CoAP is not encrypted.
  const isPlaintextWarning = (entry: JournalEntry) => isOfEvent(entry, 'FL-PLAINTEXT-ENDPOINT');
  const warnings = journal.filter(isPlaintextWarning).length;
  findings.expect(warnings === 1, `${warnings} warnings of a plaintext endpoint at one start`);
  // The container has no serial number, and sees the interfaces of this machine, which may have no address of its own.
  const isNameWarning = (entry: JournalEntry) => isOfEvent(entry, 'FL-DEVICE-NAME-AMBIGUOUS');
  for (const { message, priority } of journal.filter(
    (entry) => entry.priority < 6 && !isPlaintextWarning(entry) && !isNameWarning(entry),
  ))
    findings.problems.push(
      `a journal entry of priority ${priority} at a first boot without faults: ${message}`,
    );
  await expectStatusLine(service, findings);
  await expectPublicStatus(machine, findings);
  const token = site.sandbox.devices()[0]?.token ?? '';
  const leaks = await secretLeaks(machine, { secret: PROVISIONING.secret, token });
  for (const leak of leaks) findings.problems.push(leak);
}

async function expectStatusLine(service: Booted['service'], findings: Findings): Promise<void> {
  if (!(await service.property('Type')).startsWith('notify'))
    return findings.skip('the status line: the unit is not Type=notify');
  await isTrueWithin(async () => (await service.property('StatusText')).startsWith('online'), TIMEOUT_MS);
  const text = await service.property('StatusText');
  findings.figure(`status "${text}"`);
  findings.expect(text.startsWith('online'), `the status line of an online gateway: "${text}"`);
  findings.expect(
    (await service.status()).includes(text.slice(0, 6)),
    'systemctl status does not show the status line',
  );
}

async function expectImport(root: string, findings: Findings): Promise<void> {
  const left = ['firstlight.toml', 'firstlight-error.txt'].filter((file) =>
    existsSync(join(root, BOOT_PARTITION, file)),
  );
  findings.expect(left.length === 0, `left on the boot partition: ${left.join(', ')}`);
  findings.expect(existsSync(join(root, IMPORTED)), `the imported file is not ${IMPORTED}`);
}

async function expectReboot(site: Site, { service }: Booted, findings: Findings): Promise<void> {
  findings.expect(await site.isReceiving(TIMEOUT_MS), 'no telemetry after the reboot');
  findings.expect(await service.hasEvent('FL-CREDENTIALS-FOUND'), 'no credentials found after the reboot');
  findings.expect(
    !(await service.hasEvent('FL-PROVISIONING-STARTED')),
    'the agent provisioned again after the reboot',
  );
  expectOneDevice(site, findings, 'after the reboot');
}

async function expectUpgrade(
  site: Site,
  { machine, service }: Booted,
  deb: string,
  findings: Findings,
): Promise<void> {
  const [pid, token] = [await service.property('MainPID'), site.sandbox.devices()[0]?.token];
  const startedMs = performance.now();
  const { code, out } = await machine.run(install(deb));
  findings.figure(`upgraded in ${seconds(performance.now() - startedMs)}`);
  findings.expect(code === 0, `the upgrade ended with ${code}: ${lastLine(out)}`);
  const isNew = await isTrueWithin(
    async () => (await service.isActive()) && (await service.property('MainPID')) !== pid,
    TIMEOUT_MS,
  );
  findings.expect(isNew, 'the upgrade did not restart the service');
  const defaults = await machine.run(['grep', '-c', 'Added by the next version', DEFAULTS]);
  findings.expect(defaults.code === 0, `the upgrade did not bring its own ${DEFAULTS}`);
  findings.expect(await site.isReceiving(TIMEOUT_MS), 'no telemetry after the upgrade');
  findings.expect(site.sandbox.devices()[0]?.token === token, 'the upgrade lost the token');
  expectOneDevice(site, findings, 'after the upgrade');
}

async function expectRemoval(
  site: Site,
  { machine, service }: Booted,
  before: ReadonlySet<string>,
  findings: Findings,
): Promise<void> {
  await machine.run(['apt-get', 'remove', '-y', 'firstlight']);
  findings.expect(!(await service.isActive()), 'the agent still runs after apt-get remove');
  const remaining = [`${STATE}/credentials.json`, DEFAULTS, IMPORTED];
  for (const file of remaining)
    findings.expect(existsSync(join(site.root, file)), `apt-get remove deleted ${file}`);
  const { code, out } = await machine.run(['apt-get', 'purge', '-y', 'firstlight']);
  findings.expect(code === 0, `apt-get purge ended with ${code}: ${lastLine(out)}`);
  const inMemory = await machine.run(['find', '/run', '-name', 'firstlight*']);
  findings.expect(inMemory.out.trim() === '', `left behind in /run: ${inMemory.out.trim()}`);
  const after = await filesOf(machine);
  const { added, removed } = differences(before, after);
  for (const file of added) findings.problems.push(`left behind after the purge: ${file}`);
  for (const file of removed) findings.problems.push(`deleted by the purge, but not of the package: ${file}`);
  findings.figure(`${after.size} files compared after the purge`);
  const units = (await machine.sh('systemctl list-units --all --plain --no-legend "firstlight*"')).out.trim();
  findings.expect(units === '', `systemd still lists: ${units}`);
}

function expectOneDevice(site: Site, findings: Findings, when: string): void {
  const count = site.sandbox.devices().length;
  findings.expect(count === 1, `${count} devices ${when}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
