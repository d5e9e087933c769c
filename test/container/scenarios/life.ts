/**
 * A gateway's life: package installed by apt, first boot with the file on the boot partition, reboot, upgrade, remove, purge.
 *
 * The promise under test: on the server within 2 s of the service's start, one device for ever, no secret where others can read, and
 * after the purge the machine is what it was before.
 */

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf, strangers } from '../file-list.ts';
import { carry, install } from '../packages.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { type Booted, PROVISIONING, Site, toml } from '../site.ts';
import { until } from '../until.ts';
import { whereItLeaks } from './secrecy.ts';

const APPEARS_WITHIN_MS = 2_000;
/** Of a machine that is loaded; what is promised is judged by the figures. */
const PATIENCE_MS = 30_000;
const STATE = '/var/lib/private/firstlight';
const DEFAULTS = '/etc/firstlight/firstlight.toml';
const IMPORTED = '/etc/firstlight/conf.d/00-boot.toml';
const BOOT_PARTITION = join('boot', 'firmware');

export async function life({ bare, packages }: Ground): Promise<Report> {
  await using root = await bare.root();
  await using site = await Site.open(root.path);
  await site.openServer();
  const findings = new Findings();
  await mkdir(join(root.path, BOOT_PARTITION), { recursive: true });
  const lower = await carry(packages.lower, root.path);
  const higher = await carry(packages.higher, root.path);

  let before: ReadonlySet<string>;
  {
    const booted = await site.boot();
    findings.expect(
      (await booted.machine.booted()) === 'running',
      'the machine without firstlight did not boot well',
    );
    before = await filesOf(booted.machine);
    await installed(booted, lower, findings);
    await booted.machine.powerOff();
  }
  const imported = existsSync(join(root.path, 'usr/lib/systemd/system/firstlight-import.service'));
  if (imported) {
    const file = join(root.path, BOOT_PARTITION, 'firstlight.toml');
    await writeFile(file, toml(site.link.serverAddress, '', PROVISIONING.secret), { mode: 0o755 });
  } else {
    findings.skip('the file on the boot partition: the package has no firstlight-import.service');
    await site.configure();
  }
  {
    const booted = await site.boot();
    await firstBoot(site, booted, findings);
    if (imported) await fileIsTaken(root.path, findings);
    await booted.machine.powerOff();
  }
  {
    const booted = await site.boot();
    await reboot(site, booted, findings);
    await upgrade(site, booted, higher, findings);
    await removal(site, booted, before, findings);
  }
  return findings;
}

/** Without a configuration: apt is content, the service is down and says why. */
async function installed({ machine, service }: Booted, deb: string, findings: Findings): Promise<void> {
  const startedMs = performance.now();
  const { code, out } = await machine.run(install(deb));
  findings.figure(`installed in ${seconds(performance.now() - startedMs)}`);
  findings.expect(code === 0, `apt-get install ended with ${code}: ${lastLine(out)}`);
  const ended = async () =>
    (await service.property('ExecMainStatus')) === '78' && !(await service.isActive());
  if (!(await until(ended, PATIENCE_MS)))
    findings.problems.push(
      `without a configuration it did not end with 78: ${(await service.status()).trim()}`,
    );
  const logged = (await service.journal()).filter(({ priority }) => priority === 3);
  findings.expect(
    logged.some(({ message }) => message.includes('server.url')),
    'without a configuration no journal entry of priority 3 names server.url',
  );
}

/** The status is for everybody, from a directory in memory that outlives the service, and holds nothing secret. */
async function statusForAll(machine: Booted['machine'], findings: Findings): Promise<void> {
  const ask = () => machine.run(['runuser', '-u', 'nobody', '--', 'firstlight', 'status']);
  await until(async () => (await ask()).code === 0, PATIENCE_MS);
  const answer = await ask();
  findings.expect(
    answer.code === 0 && answer.out.includes('is online') && answer.out.includes('credentials stored'),
    `"firstlight status" as nobody ended with ${answer.code}: ${answer.out.trim()}`,
  );
}

async function firstBoot(site: Site, { machine, service }: Booted, findings: Findings): Promise<void> {
  if (!(await until(() => site.sandbox.devices().length > 0, PATIENCE_MS)))
    throw new Error(`no device appeared at the first boot: ${(await service.status()).trim()}`);
  const createdMs = site.sandbox.devices()[0]?.createdAtMs ?? Number.NaN;
  const sinceStartMs = Number(process.hrtime.bigint() / 1_000_000n) - (await service.startedMonotonicMs());
  const appearedMs = createdMs - (Date.now() - sinceStartMs);
  findings.figure(`device after ${seconds(appearedMs)}`);
  findings.expect(
    appearedMs <= APPEARS_WITHIN_MS,
    `the device appeared ${seconds(appearedMs)} after the service's start`,
  );
  findings.expect(await site.isReceiving(PATIENCE_MS), 'no telemetry was stored at the first boot');
  const state = await machine.booted();
  findings.expect(
    state === 'running',
    `the first boot ended ${state}: ${(await machine.sh('systemctl --failed --plain --no-legend')).out}`,
  );
  await until(() => service.output('first telemetry accepted'), PATIENCE_MS);
  const journal = await service.journal();
  for (const text of ['firstlight is ready', 'provisioned: token stored', 'first telemetry accepted'])
    findings.expect(
      journal.some(({ message, priority }) => message.includes(text) && priority === 6),
      `no journal entry of priority 6: ${text}`,
    );
  // The network of these tests is not a private one, and the road is not encrypted.
  const isOfLink = ({ message }: { readonly message: string }) =>
    message.includes('event=FL-PLAINTEXT-ENDPOINT');
  const roads = journal.filter(isOfLink).length;
  findings.expect(roads === 1, `a road in the clear is warned of ${roads} times at one start`);
  for (const { message, priority } of journal.filter((entry) => entry.priority < 6 && !isOfLink(entry)))
    findings.problems.push(
      `a journal entry of priority ${priority} at a first boot without trouble: ${message}`,
    );
  await statusText(service, findings);
  await statusForAll(machine, findings);
  const token = site.sandbox.devices()[0]?.token ?? '';
  const leaks = await whereItLeaks(machine, { secret: PROVISIONING.secret, token });
  for (const leak of leaks) findings.problems.push(leak);
}

async function statusText(service: Booted['service'], findings: Findings): Promise<void> {
  if (!(await service.property('Type')).startsWith('notify'))
    return findings.skip('the status line: the unit is not Type=notify');
  await until(async () => (await service.property('StatusText')).startsWith('online'), PATIENCE_MS);
  const text = await service.property('StatusText');
  findings.figure(`status "${text}"`);
  findings.expect(text.startsWith('online'), `the status line of a gateway that is online: "${text}"`);
  findings.expect(
    (await service.status()).includes(text.slice(0, 6)),
    'systemctl status does not show the status line',
  );
}

async function fileIsTaken(root: string, findings: Findings): Promise<void> {
  const left = ['firstlight.toml', 'firstlight-error.txt'].filter((file) =>
    existsSync(join(root, BOOT_PARTITION, file)),
  );
  findings.expect(left.length === 0, `left on the boot partition: ${left.join(', ')}`);
  findings.expect(existsSync(join(root, IMPORTED)), `the imported file is not ${IMPORTED}`);
}

async function reboot(site: Site, { service }: Booted, findings: Findings): Promise<void> {
  findings.expect(await site.isReceiving(PATIENCE_MS), 'no telemetry after the reboot');
  findings.expect(await service.output('credentials found'), 'the reboot did not find its credentials');
  findings.expect(!(await service.output('provisioning device')), 'it provisioned again after the reboot');
  onlyOne(site, findings, 'after the reboot');
}

async function upgrade(
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
  const isNew = await until(
    async () => (await service.isActive()) && (await service.property('MainPID')) !== pid,
    PATIENCE_MS,
  );
  findings.expect(isNew, 'the upgrade did not restart the service');
  const defaults = await machine.run(['grep', '-c', 'What the next version is about', DEFAULTS]);
  findings.expect(defaults.code === 0, `the upgrade did not bring its own ${DEFAULTS}`);
  findings.expect(await site.isReceiving(PATIENCE_MS), 'no telemetry after the upgrade');
  findings.expect(site.sandbox.devices()[0]?.token === token, 'the upgrade lost the token');
  onlyOne(site, findings, 'after the upgrade');
}

async function removal(
  site: Site,
  { machine, service }: Booted,
  before: ReadonlySet<string>,
  findings: Findings,
): Promise<void> {
  await machine.run(['apt-get', 'remove', '-y', 'firstlight']);
  findings.expect(!(await service.isActive()), 'it runs on after apt-get remove');
  const kept = [`${STATE}/credentials.json`, DEFAULTS, IMPORTED];
  for (const file of kept) findings.expect(existsSync(join(site.root, file)), `apt-get remove took ${file}`);
  const { code, out } = await machine.run(['apt-get', 'purge', '-y', 'firstlight']);
  findings.expect(code === 0, `apt-get purge ended with ${code}: ${lastLine(out)}`);
  const inMemory = await machine.run(['find', '/run', '-name', 'firstlight*']);
  findings.expect(inMemory.out.trim() === '', `left behind in memory: ${inMemory.out.trim()}`);
  const after = await filesOf(machine);
  const { left, gone } = strangers(before, after);
  for (const file of left) findings.problems.push(`left behind after the purge: ${file}`);
  for (const file of gone) findings.problems.push(`gone with the purge, though not ours: ${file}`);
  findings.figure(`${after.size} files compared after the purge`);
  const units = (await machine.sh('systemctl list-units --all --plain --no-legend "firstlight*"')).out.trim();
  findings.expect(units === '', `systemd still knows: ${units}`);
}

function onlyOne(site: Site, findings: Findings, when: string): void {
  const count = site.sandbox.devices().length;
  findings.expect(count === 1, `${count} devices ${when}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
