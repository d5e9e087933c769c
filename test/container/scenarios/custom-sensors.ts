/**
 * An operator's own sensors in the shipped unit: what a program in sh and one in perl may do there and what they get to see, what a program
 * in a forbidden place is told, and that the drop-in of the documentation opens what it says.
 */

import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { PROVISIONING, Site } from '../site.ts';
import { until } from '../until.ts';

const WITHIN_MS = 60_000;
/** A group that every Debian has. */
const DIALOUT = 20;
const FOR_DIALOUT = '/usr/local/share/firstlight-test';

const SHELL = `#!/bin/sh
echo "user=$(id -un)"
echo "variables=$(tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | sort | tr '\\n' ' ')"
echo "etc=$(touch /etc/firstlight-test 2>/dev/null && echo written || echo refused)"
echo "tmp=$(touch /tmp/firstlight-test 2>/dev/null && echo written || echo refused)"
echo "home=$(ls /root >/dev/null 2>&1 && echo seen || echo refused)"
echo "kmsg=$(test -e /dev/kmsg && echo seen || echo unseen)"
echo "group_file=$(cat ${FOR_DIALOUT} 2>/dev/null || echo refused)"
`;
const PERL = `#!/usr/bin/perl
print '{"answer": ', 6 * 7, ', "threads": true}', "\\n";
`;

const EXPECTED: Readonly<Record<string, string | number | boolean>> = {
  shellUser: 'firstlight',
  shellVariables: 'LANG PATH',
  shellEtc: 'refused',
  shellTmp: 'written',
  shellHome: 'refused',
  shellKmsg: 'unseen',
  shellGroupFile: 'refused',
  perlAnswer: 42,
  perlThreads: true,
};

export async function ownSensors({ installed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await installPrograms(root.path);
  await site.configure(
    own('shell', '/usr/local/bin/shell-sensor') +
      own('perl', '/usr/local/bin/perl-sensor') +
      own('misplaced', '/var/lib/misplaced-sensor'),
  );
  const sandbox = await site.openServer();
  const last = (key: string) => sandbox.points({ key }).at(-1)?.value;
  const { machine, service } = await site.boot();
  await machine.booted();
  const keys = Object.keys(EXPECTED);
  await until(() => keys.every((key) => last(key) !== undefined), WITHIN_MS);
  for (const key of keys)
    findings.expect(last(key) === EXPECTED[key], `${key} is ${last(key)}, not ${EXPECTED[key]}`);
  const isLogged = () =>
    service.output('cannot be executed: check its mode, and that it is not below /var, /run or /tmp');
  findings.expect(await until(isLogged, WITHIN_MS), 'nothing is said of a program in /var/lib');
  const journal = (await service.journal()).map(({ message }) => message);
  const failures = journal.filter((message) => message.includes('FL-CUSTOM-SENSOR-FAILED'));
  findings.expect(failures.length === 1, `told ${failures.length} times: ${failures.join(' | ')}`);
  findings.expect(!journal.join('').includes(PROVISIONING.secret), 'the secret is in the journal');
  // The documented drop-in, with a group that is there for sure.
  await site.dropIn('own', ['[Service]', 'PrivateDevices=no', 'SupplementaryGroups=dialout']);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'restart', 'firstlight.service']);
  const canOpen = () => last('shellGroupFile') === 'opened';
  findings.expect(
    await until(canOpen, WITHIN_MS),
    `SupplementaryGroups= does not open a file: ${last('shellGroupFile')}`,
  );
  findings.expect(last('shellEtc') === 'refused', 'with the drop-in it can write to /etc');
  findings.figure(`${keys.length} values of two programs, a group opened by a drop-in`);
  return findings;
}

async function installPrograms(root: string): Promise<void> {
  const install = async (path: string, text: string) => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o755 });
  };
  await install('usr/local/bin/shell-sensor', SHELL);
  await install('usr/local/bin/perl-sensor', PERL);
  await install('var/lib/misplaced-sensor', SHELL);
  await writeFile(join(root, FOR_DIALOUT), 'opened', { mode: 0o640 });
  await chown(join(root, FOR_DIALOUT), 0, DIALOUT);
}

function own(name: string, program: string): string {
  return `[[sensor.exec]]\nname = "${name}"\ncommand = ["${program}"]\nevery = "1s"\n`;
}
