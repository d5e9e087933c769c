/**
 * What the status and the doctor of the shipped unit report when faults occur one after the other; and that
 * `doctor --provision` as root leaves files that the dynamic user of the service can use.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusJson } from '../../../src/cli/status/json.ts';
import { EVENTS, type EventId, splitSentence } from '../../../src/core/events/catalogue.ts';
import type { Machine } from '../machine.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { PROVISIONING, Site } from '../site.ts';
import { until } from '../until.ts';

const WITHIN_MS = 60_000;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const STATE = '/var/lib/firstlight';
const FILES = `${STATE}/credentials.json ${STATE}/credentials.backup.json`;

export async function failureMessages({ installed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  await site.openServer();
  const { machine } = await site.boot();
  await machine.bootState();
  const gateway = new Gateway(site, machine);
  await testProvisioningBeforeFirstStart(gateway);
  await testProvisioningInStateDirectory(gateway);
  await testTornFiles(gateway);
  await testSilentServer(gateway);
  await testOtherUser(gateway);
  await testWrongKey(gateway);
  gateway.expectNoSecret();
  return gateway.findings;
}

/** A check in the JSON of the doctor. */
interface DoctorCheck {
  readonly check: string;
  readonly status: 'pass' | 'skip' | 'fail' | 'missing';
  readonly observed: string;
  readonly action?: string;
}

class Gateway {
  readonly findings = new Findings();
  readonly site: Site;
  readonly #machine: Machine;
  readonly #outputs: string[] = [];

  constructor(site: Site, machine: Machine) {
    this.site = site;
    this.#machine = machine;
  }

  async sh(line: string): Promise<{ readonly out: string; readonly code: number | null }> {
    // Without the environment variables of this process.
    const { out, code } = await this.#machine.run(['env', '-i', PATH, 'sh', '-c', `exec 2>&1; ${line}`]);
    this.#outputs.push(out);
    return { out, code };
  }

  expect(condition: boolean, violation: string): void {
    this.findings.expect(condition, violation);
  }

  /** The result of a check of the doctor. */
  async doctorCheck(name: string, command = 'firstlight doctor'): Promise<DoctorCheck> {
    const { out } = await this.sh(`${command} --json`);
    const { checks } = JSON.parse(out) as { readonly checks: readonly DoctorCheck[] };
    return checks.find(({ check }) => check === name) ?? { check: name, status: 'missing', observed: out };
  }

  provision(): Promise<DoctorCheck> {
    return this.doctorCheck('provisioning', 'firstlight doctor --provision 60');
  }

  expectCheck(result: DoctorCheck, status: DoctorCheck['status'], observed = /./): void {
    this.expect(
      result.status === status && observed.test(result.observed),
      `doctor: expected ${status} and ${observed}: ${JSON.stringify(result)}`,
    );
  }

  async status(): Promise<string> {
    const { out, code } = await this.sh('firstlight status');
    return `${out}\nexit ${code}`;
  }

  async expectStatus(...parts: readonly string[]): Promise<void> {
    let text = '';
    const isShown = async () => {
      text = await this.status();
      return parts.every((part) => text.includes(part));
    };
    this.expect(await until(isShown, WITHIN_MS), `status does not show ${parts.join(', ')}: ${text}`);
  }

  /** The status names the event with its remedy, and exits with 2 (action needed). */
  async expectActionNeeded(event: EventId): Promise<StatusJson> {
    const { remedy } = splitSentence(EVENTS[event].sentence);
    await this.expectStatus(event, remedy, 'exit 2');
    const status = JSON.parse((await this.sh('firstlight status --json')).out) as StatusJson;
    this.expect(status.state === 'not provisioned', `status --json: state ${status.state}`);
    return status;
  }

  async expectOneDeviceConnected(when: string): Promise<void> {
    this.expect(await this.site.isReceiving(WITHIN_MS), `${when}: no telemetry arrives`);
    const { length } = this.site.sandbox.devices();
    this.expect(length === 1, `${when}: ${length} devices`);
  }

  async expectServiceOwner(when: string): Promise<void> {
    const { out } = await this.sh(`stat -c '%U %a' ${FILES}`);
    this.expect(out === 'firstlight 600\nfirstlight 600\n', `${when}: the files are ${out}`);
  }

  expectNoSecret(): void {
    const all = this.#outputs.join('\n');
    const tokens = this.site.sandbox.devices().flatMap(({ token }) => token ?? []);
    for (const secret of [PROVISIONING.secret, ...tokens])
      this.expect(!all.includes(secret), 'an output contains a secret');
  }
}

/**
 * The state directory does not exist yet: root creates it, and systemd gives it to the user of the service.
 */
async function testProvisioningBeforeFirstStart(gateway: Gateway): Promise<void> {
  await gateway.sh(`systemctl stop firstlight; rm -rf /var/lib/private/firstlight ${STATE}`);
  await gateway.site.configure();
  gateway.expectCheck(await gateway.provision(), 'pass', /token/);
  await gateway.sh('systemctl start firstlight');
  await gateway.expectOneDeviceConnected('provisioned before the first start');
  await gateway.expectServiceOwner('provisioned before the first start');
}

async function testProvisioningInStateDirectory(gateway: Gateway): Promise<void> {
  const { sandbox } = gateway.site;
  await gateway.sh('systemctl stop firstlight; firstlight credentials forget --yes');
  for (const { name } of sandbox.devices()) sandbox.core.admin.deleteDevice(name);
  gateway.expectCheck(await gateway.provision(), 'pass');
  await gateway.expectServiceOwner('provisioned in the directory of the service');
  await gateway.sh('systemctl start firstlight');
  await gateway.expectOneDeviceConnected('provisioned in the directory of the service');
  gateway.expectCheck(await gateway.provision(), 'skip', /agent/);
}

async function testTornFiles(gateway: Gateway): Promise<void> {
  await gateway.sh(`systemctl stop firstlight; cp ${STATE}/credentials.json /root/copy`);
  await gateway.sh(`truncate -s 40 ${FILES}; systemctl start firstlight`);
  const { credentials } = await gateway.expectActionNeeded('FL-CREDENTIALS-UNREADABLE');
  gateway.expect(credentials === 'unreadable', `status --json: credentials ${credentials}`);
  gateway.expectCheck(await gateway.doctorCheck('provisioning'), 'fail', /credentials\.json/);
  await gateway.sh(`cat /root/copy > ${STATE}/credentials.json`);
  await gateway.expectOneDeviceConnected('restored from a copy, without a restart');
}

async function testSilentServer(gateway: Gateway): Promise<void> {
  const { sandbox } = gateway.site;
  sandbox.setKnobs({ dead: true });
  await gateway.sh('systemctl restart firstlight');
  await gateway.expectStatus('firstlight doctor');
  gateway.expectCheck(await gateway.doctorCheck('UDP path'), 'fail', /CoAP ping/);
  sandbox.setKnobs({ dead: false });
  await gateway.expectOneDeviceConnected('the server responds again');
}

/**
 * For a user who cannot read the credential store and the state, the doctor must not report a wrong
 * configuration.
 */
async function testOtherUser(gateway: Gateway): Promise<void> {
  const command = 'setpriv --reuid=65534 --regid=65534 --clear-groups firstlight doctor';
  gateway.expectCheck(await gateway.doctorCheck('configuration', command), 'pass', /sudo/);
  gateway.expectCheck(await gateway.doctorCheck('UDP path', command), 'pass');
  const provisioning = await gateway.doctorCheck('provisioning', command);
  gateway.expect(provisioning.status !== 'fail', `doctor of nobody: ${JSON.stringify(provisioning)}`);
  const { out } = await gateway.sh(command);
  gateway.expect(/✓ configuration/.test(out) && !/✗ provisioning/.test(out), `doctor of nobody: ${out}`);
}

async function testWrongKey(gateway: Gateway): Promise<void> {
  const dropIn = join(gateway.site.root, 'etc', 'firstlight', 'conf.d', 'wrong.toml');
  await writeFile(dropIn, `[provisioning]\nkey = "${PROVISIONING.key.slice(0, -1)}x"\n`);
  await gateway.sh('systemctl stop firstlight; firstlight credentials forget --yes');
  const result = await gateway.provision();
  gateway.expectCheck(result, 'fail', /FL-PROVISIONING-KEY-UNKNOWN/);
  gateway.expect(result.action?.includes('provisioning.key') === true, `action: ${JSON.stringify(result)}`);
  await gateway.sh('systemctl start firstlight');
  await gateway.expectActionNeeded('FL-PROVISIONING-KEY-UNKNOWN');
}
