/**
 * Hosts on which systemd cannot start the shipped unit, or on which it does not get what it needs: a container whose
 * runtime clears credentials, a Node elsewhere or for another processor, a state directory that is a mount, a link
 * or in memory. The status, the doctor, the launcher and apt must name the cause.
 */

import { isTrueWithin } from '../../until.ts';
import { Gateway } from '../gateway.ts';
import { type GatewayService, isOfEvent } from '../gateway-service.ts';
import type { Machine } from '../machine.ts';
import { copyPackage } from '../packages.ts';
import type { Environment, Report } from '../scenario.ts';
import { Site } from '../site.ts';

const WITHIN_MS = 30_000;
const DROP_IN = '/run/systemd/system/service.d/zzz-lxc-service.conf';
const START = 'systemctl reset-failed firstlight; systemctl start firstlight';

interface Host {
  readonly site: Site;
  readonly machine: Machine;
  readonly service: GatewayService;
  readonly gateway: Gateway;
}

async function onHost(
  { installed }: Environment,
  test: (host: Host) => Promise<void>,
  prepare: (site: Site) => Promise<unknown> = async () => {},
): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  await site.openServer();
  await site.configure();
  await prepare(site);
  const { machine, service } = await site.boot();
  await machine.bootState();
  const gateway = new Gateway(site, machine);
  await test({ site, machine, service, gateway });
  gateway.expectNoSecret();
  return gateway.findings;
}

/** The runtime of a container clears the credentials of every service. */
export function withheldCredentials(environment: Environment): Promise<Report> {
  return onHost(environment, async ({ gateway, service }) => {
    await gateway.expectOneDeviceConnected('before the drop-in');
    const clear = `mkdir -p ${DROP_IN.replace(/\/[^/]+$/, '')}; printf '[Service]\\nLoadCredential=\\nImportCredential=\\nProtectControlGroups=no\\n' > ${DROP_IN}; systemctl daemon-reload`;
    await gateway.sh(`${clear}; systemctl restart firstlight`);
    await gateway.expectOneDeviceConnected('with stored credentials, without the secret');
    gateway.expect(await service.hasEvent('FL-CONFIG-WARNING'), 'no warning of the missing secret');
    await gateway.sh('systemctl stop firstlight; firstlight credentials forget --yes');
    for (const { name } of gateway.site.sandbox.devices()) gateway.site.sandbox.core.admin.deleteDevice(name);
    await gateway.sh('systemctl start firstlight');
    await gateway.expectStatus('FL-CONFIG-INVALID', 'run sudo firstlight doctor', 'exit 3');
    const check = await gateway.doctorCheck('credential store');
    gateway.expectCheck(check, 'fail', /credstore\/firstlight\.secret exists.*zzz-lxc-service\.conf clears/);
    const wayOut = /: (sudo install .*?\/etc\/firstlight\/secret);/.exec(check.action ?? '')?.[1] ?? 'false';
    const setting = 'printf "[provisioning]\\nsecret-file = \\"/etc/firstlight/secret\\"\\n"';
    const { code } = await gateway.sh(
      `${wayOut.replace('sudo ', '')} && ${setting} > /etc/firstlight/conf.d/secret.toml && ${START}`,
    );
    gateway.expect(code === 0, 'the way out that the doctor names does not work');
    await gateway.expectOneDeviceConnected('with the secret in a file');
    gateway.expectCheck(await gateway.doctorCheck('credential store'), 'pass', /from another place/);
  });
}

/** /usr/bin/node is not what the unit needs. */
export function foreignNode(environment: Environment): Promise<Report> {
  return onHost(environment, async ({ site, machine, gateway }) => {
    await gateway.expectOneDeviceConnected('with Node of Debian');
    const real = '/root/node-of-debian';
    await machine.sh(
      `cp "$(readlink -f /usr/bin/node)" ${real}; mkdir -p /home/pi/.nvm; cp ${real} /home/pi/.nvm/node`,
    );
    const restart = async (lines: string) => {
      await machine.sh(`systemctl stop firstlight; rm -f /usr/bin/node; ${lines}; ${START}`);
    };
    const launcher = async (sentence: RegExp) => {
      const { out, code } = await gateway.sh('firstlight status');
      gateway.expect(sentence.test(out) && code === 3, `status without Node: exit ${code}, ${out}`);
    };

    await restart(`printf '#!/bin/sh\\nkill -ILL $$\\n' > /usr/bin/node; chmod 755 /usr/bin/node`);
    await launcher(/firstlight cannot run: .*built for another processor.*: install Node/);
    const deb = await copyPackage(environment.packages.lower, site.root);
    const { out } = await gateway.sh(`dpkg -i ${deb}`);
    gateway.expect(
      /firstlight cannot run: .*another processor/.test(out),
      `dpkg does not name the processor: ${out}`,
    );

    await restart('cp /root/node-of-debian /usr/local/bin/node');
    await launcher(/node does not exist, and Firstlight does not use \/usr\/local\/bin\/node: install Node/);
    await machine.sh('rm /usr/local/bin/node');

    await restart('ln -s /home/pi/.nvm/node /usr/bin/node');
    const link = '/usr/bin/node is a link to /home/pi/.nvm/node, which the service cannot read';
    await gateway.expectStatus('203/EXEC', link, 'exit 3');
    const check = await gateway.doctorCheck('service');
    gateway.expectCheck(check, 'fail', /203\/EXEC/);
    gateway.expect(check.meaning === link, `doctor: ${JSON.stringify(check)}`);

    await restart(`cp ${real} /usr/bin/node`);
    await gateway.expectOneDeviceConnected('with Node in its place again');
  });
}

const LAYOUTS: readonly { readonly name: string; readonly lines: string; readonly cause?: RegExp }[] = [
  {
    name: 'a mount at /var/lib/firstlight',
    lines: 'mkdir /var/lib/firstlight; mount --bind /data/fl /var/lib/firstlight',
    cause: /\/var\/lib\/firstlight is a mount point/,
  },
  {
    name: 'a link at /var/lib/firstlight',
    lines: 'ln -s /data/fl /var/lib/firstlight',
    cause: /\/var\/lib\/firstlight is a link to \/data\/fl/,
  },
  {
    name: 'a link at /var/lib/private/firstlight',
    lines: 'ln -s /data/fl /var/lib/private/firstlight',
    cause: /\/var\/lib\/private\/firstlight is a link to \/data\/fl/,
  },
  { name: 'a directory of root', lines: 'mkdir /var/lib/firstlight' },
  {
    name: 'a mount at /var/lib/private/firstlight',
    lines: 'mkdir /var/lib/private/firstlight; mount --bind /data/fl /var/lib/private/firstlight',
  },
];

/** The state directory is a mount, a link or a directory before the first start. */
export function stateElsewhere(environment: Environment): Promise<Report> {
  return onHost(environment, async ({ site, machine, service, gateway }) => {
    for (const { name, lines, cause } of LAYOUTS) {
      await machine.sh(
        'systemctl stop firstlight; umount -q /var/lib/firstlight /var/lib/private/firstlight; rm -rf /var/lib/firstlight /var/lib/private/firstlight /data; mkdir -p -m 700 /data/fl /var/lib/private',
      );
      for (const { name: device } of site.sandbox.devices()) site.sandbox.core.admin.deleteDevice(device);
      await machine.sh(`${lines}; ${START}`);
      if (!cause) {
        await gateway.expectOneDeviceConnected(name);
        continue;
      }
      await isTrueWithin(async () => (await service.property('ExecMainStatus')) === '238', WITHIN_MS);
      const check = await gateway.doctorCheck('service');
      gateway.expectCheck(check, 'fail', /238\/STATE_DIRECTORY/);
      gateway.expect(cause.test(check.meaning ?? ''), `${name}: ${JSON.stringify(check)}`);
      gateway.expect(
        check.action?.includes('/var/lib/private/firstlight') === true,
        `${name}: ${check.action}`,
      );
      await gateway.expectStatus('238/STATE_DIRECTORY', 'exit 3');
    }
    await machine.sh('systemctl stop firstlight');
    await gateway.sh(
      `mkdir -p /etc/systemd/system/firstlight.service.d; printf '[Service]\\nBindPaths=/nowhere\\n' > /etc/systemd/system/firstlight.service.d/bind.conf; systemctl daemon-reload; ${START}`,
    );
    await gateway.expectStatus('226/NAMESPACE', 'exit 3');
    gateway.expectCheck(await gateway.doctorCheck('service'), 'fail', /226\/NAMESPACE/);
    await gateway.sh('rm -r /etc/systemd/system/firstlight.service.d; systemctl daemon-reload');
  });
}

/** A root or a state directory whose changes are in memory: each boot is a first boot. */
export function stateInMemory(environment: Environment): Promise<Report> {
  return onHost(environment, async ({ machine, gateway, service }) => {
    const stop = 'systemctl stop firstlight; umount -q /var/lib/private/firstlight /var/lib /mnt';
    const overlay =
      'mount -t tmpfs none /mnt; mkdir /mnt/upper /mnt/work; mount -t overlay overlay -o lowerdir=/var/lib,upperdir=/mnt/upper,workdir=/mnt/work /var/lib';
    const storages = [
      ['mount -t tmpfs none /var/lib', /is on tmpfs at \/var\/lib$/],
      [overlay, /is on an overlay at \/var\/lib, whose changes are on tmpfs at \/mnt$/],
    ] as const;
    await machine.sh('systemctl stop firstlight; rm -rf /var/lib/firstlight /var/lib/private/firstlight');
    for (const [mount, observed] of storages) {
      for (const { name } of gateway.site.sandbox.devices())
        gateway.site.sandbox.core.admin.deleteDevice(name);
      await machine.sh(`${stop}; journalctl --rotate --vacuum-time=1s -q; ${mount}`);
      gateway.expectCheck(await gateway.doctorCheck('state directory'), 'fail', observed);
      await machine.sh(START);
      await gateway.expectOneDeviceConnected(mount);
      const events = (await service.journal()).filter(
        (entry) => isOfEvent(entry, 'FL-STATE-VOLATILE') || isOfEvent(entry, 'FL-PROVISIONING-STARTED'),
      );
      gateway.expect(
        events.length === 2 && events[0] !== undefined && isOfEvent(events[0], 'FL-STATE-VOLATILE'),
        `said before the first request: ${events.map(({ message }) => message).join(' | ')}`,
      );
      await gateway.expectStatus('FL-STATE-VOLATILE', 'exit 0');
      gateway.expectCheck(await gateway.doctorCheck('state directory'), 'fail', observed);
    }
    // The power fails.
    await machine.sh(`${stop}; ${overlay}; ${START}`);
    await gateway.expectStatus('FL-PROVISIONING-DECLINED', 'exit 2');
    // The remedy: the state directory on a disk, below the overlay.
    for (const { name } of gateway.site.sandbox.devices()) gateway.site.sandbox.core.admin.deleteDevice(name);
    const disk =
      'mkdir -p -m 700 /data/fl /var/lib/private/firstlight; mount --bind /data/fl /var/lib/private/firstlight';
    for (const boot of ['first', 'second']) {
      await machine.sh(`${stop}; journalctl --rotate --vacuum-time=1s -q; ${overlay}; ${disk}; ${START}`);
      await gateway.expectOneDeviceConnected(`on a disk, ${boot} boot`);
      gateway.expect(!(await service.hasEvent('FL-STATE-VOLATILE')), `${boot} boot: said of a disk`);
      gateway.expectCheck(await gateway.doctorCheck('state directory'), 'pass');
    }
  });
}
