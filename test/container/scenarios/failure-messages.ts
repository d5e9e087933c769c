/**
 * What an operator is told in the shipped unit when things go wrong one after the other, by the agent's own words only; and that
 * `doctor --provision`, as root, leaves a gateway that the service's dynamic user goes on with.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../machine.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { PROVISIONING, Site } from '../site.ts';
import { until } from '../until.ts';

const WITHIN_MS = 60_000;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const STATE = '/var/lib/firstlight';
const FILES = `${STATE}/credentials.json ${STATE}/credentials.backup.json`;

export async function failureMessages({ installed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  await site.openServer();
  const { machine } = await site.boot();
  await machine.booted();
  const gateway = new Gateway(site, machine);
  await provisionedBeforeTheFirstStart(gateway);
  await provisionedInTheServicesDirectory(gateway);
  await bothFilesTorn(gateway);
  await silentServer(gateway);
  await anyUser(gateway);
  await typo(gateway);
  gateway.expectNoSecret();
  return gateway.findings;
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
    // An operator's shell has nothing of the environment that these tests run in.
    const { out, code } = await this.#machine.run(['env', '-i', PATH, 'sh', '-c', `exec 2>&1; ${line}`]);
    this.#outputs.push(out);
    return { out, code };
  }

  expect(isSo: boolean, otherwise: string): void {
    this.findings.expect(isSo, otherwise);
  }

  /** The doctor's line about provisioning, with what it means and what to do. */
  async provision(seconds = 60): Promise<string> {
    const { out } = await this.sh(`firstlight doctor --json --provision ${seconds}`);
    const { checks } = JSON.parse(out) as { readonly checks: readonly { readonly check: string }[] };
    return JSON.stringify(checks.find(({ check }) => check === 'provisioning'));
  }

  async status(): Promise<string> {
    const { out, code } = await this.sh('firstlight status');
    return `${out}\nexit ${code}`;
  }

  async expectStatus(...parts: readonly string[]): Promise<void> {
    let text = '';
    const isSaid = async () => {
      text = await this.status();
      return parts.every((part) => text.includes(part));
    };
    this.expect(await until(isSaid, WITHIN_MS), `status does not say ${parts.join(', ')}: ${text}`);
  }

  async expectOneDeviceConnected(when: string): Promise<void> {
    this.expect(await this.site.isReceiving(WITHIN_MS), `${when}: nothing is delivered`);
    const { length } = this.site.sandbox.devices();
    this.expect(length === 1, `${when}: ${length} devices`);
  }

  async expectServicesOwn(when: string): Promise<void> {
    const { out } = await this.sh(`stat -c '%U %a' ${FILES}`);
    this.expect(out === 'firstlight 600\nfirstlight 600\n', `${when}: the files are ${out}`);
  }

  expectNoSecret(): void {
    const all = this.#outputs.join('\n');
    const tokens = this.site.sandbox.devices().flatMap(({ token }) => token ?? []);
    for (const secret of [PROVISIONING.secret, ...tokens])
      this.expect(!all.includes(secret), 'a secret is in an output');
  }
}

/** There is no directory yet: root makes it, and systemd hands it over to the service's user. */
async function provisionedBeforeTheFirstStart(gateway: Gateway): Promise<void> {
  await gateway.sh(`systemctl stop firstlight; rm -rf /var/lib/private/firstlight ${STATE}`);
  await gateway.site.configure();
  const found = await gateway.provision();
  gateway.expect(found.includes('"tick"') && found.includes('the agent will use this token'), found);
  await gateway.sh('systemctl start firstlight');
  await gateway.expectOneDeviceConnected('provisioned before the first start');
  await gateway.expectServicesOwn('provisioned before the first start');
}

async function provisionedInTheServicesDirectory(gateway: Gateway): Promise<void> {
  const { sandbox } = gateway.site;
  await gateway.sh('systemctl stop firstlight; firstlight credentials forget --yes');
  for (const { name } of sandbox.devices()) sandbox.core.admin.deleteDevice(name);
  const found = await gateway.provision();
  gateway.expect(found.includes('"tick"'), found);
  await gateway.expectServicesOwn('provisioned in the directory of the service');
  await gateway.sh('systemctl start firstlight');
  await gateway.expectOneDeviceConnected('provisioned in the directory of the service');
  const beside = await gateway.provision();
  gateway.expect(beside.includes('the agent is running and does this by itself'), beside);
}

async function bothFilesTorn(gateway: Gateway): Promise<void> {
  await gateway.sh(`systemctl stop firstlight; cp ${STATE}/credentials.json /root/copy`);
  await gateway.sh(`truncate -s 40 ${FILES}; systemctl start firstlight`);
  const event = 'FL-CREDENTIALS-UNREADABLE';
  await gateway.expectStatus('cannot read its credentials', event, 'restore credentials.json', 'exit 2');
  const { out } = await gateway.sh('firstlight doctor');
  gateway.expect(/✗ provisioning +the file .*credentials\.json is truncated/.test(out), `doctor: ${out}`);
  await gateway.sh(`cat /root/copy > ${STATE}/credentials.json`);
  await gateway.expectOneDeviceConnected('restored from a copy, without a restart');
}

async function silentServer(gateway: Gateway): Promise<void> {
  const { sandbox } = gateway.site;
  sandbox.setKnobs({ dead: true });
  await gateway.sh('systemctl restart firstlight');
  await gateway.expectStatus('firstlight doctor');
  const { out } = await gateway.sh('firstlight doctor');
  gateway.expect(/✗ UDP path +.* does not answer a CoAP ping/.test(out), `doctor: ${out}`);
  sandbox.setKnobs({ dead: false });
  await gateway.expectOneDeviceConnected('the server is back');
}

/** Who may not look into the credential store and the state is not told that the configuration is wrong. */
async function anyUser(gateway: Gateway): Promise<void> {
  const { out } = await gateway.sh('setpriv --reuid=65534 --regid=65534 --clear-groups firstlight doctor');
  gateway.expect(/✓ configuration +good, with a doubt: .*sudo/.test(out), `doctor of nobody: ${out}`);
  gateway.expect(/✓ UDP path/.test(out), `doctor of nobody: ${out}`);
  gateway.expect(!out.includes('✗ provisioning'), `doctor of nobody: ${out}`);
}

async function typo(gateway: Gateway): Promise<void> {
  const dropIn = join(gateway.site.root, 'etc', 'firstlight', 'conf.d', 'wrong.toml');
  await writeFile(dropIn, `[provisioning]\nkey = "${PROVISIONING.key.slice(0, -1)}x"\n`);
  await gateway.sh('systemctl stop firstlight; firstlight credentials forget --yes');
  const found = await gateway.provision();
  gateway.expect(
    found.includes('FL-PROVISIONING-KEY-UNKNOWN') && found.includes('compare provisioning.key'),
    found,
  );
  await gateway.sh('systemctl start firstlight');
  await gateway.expectStatus(
    'is not provisioned',
    'FL-PROVISIONING-KEY-UNKNOWN',
    'compare provisioning.key',
    'exit 2',
  );
}
