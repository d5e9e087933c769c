/**
 * What the status and the doctor of the shipped unit report when faults occur one after the other; and that
 * `doctor --provision` as root leaves files that the dynamic user of the service can use.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, Gateway, STATE } from '../gateway.ts';
import type { Environment, Report } from '../scenario.ts';
import { PROVISIONING, Site } from '../site.ts';

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
