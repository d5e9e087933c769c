/**
 * Custom sensors in the shipped unit: what programs in sh and perl can do and see there, what is logged about
 * a program in a forbidden directory, and that the documented drop-in opens what it promises.
 */

import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTrueWithin } from '../../until.ts';
import { isOfEvent } from '../gateway-service.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { PROVISIONING, Site } from '../site.ts';

const WITHIN_MS = 60_000;
/** A group that every Debian has. */
const DIALOUT = 20;
const DIALOUT_FILE = '/usr/local/share/firstlight-test';

const SHELL = `#!/bin/sh
echo "user=$(id -un)"
echo "variables=$(tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | sort | tr '\\n' ' ')"
echo "etc=$(touch /etc/firstlight-test 2>/dev/null && echo written || echo denied)"
echo "tmp=$(touch /tmp/firstlight-test 2>/dev/null && echo written || echo denied)"
echo "home=$(ls /root >/dev/null 2>&1 && echo listed || echo denied)"
echo "kmsg=$(test -e /dev/kmsg && echo visible || echo hidden)"
echo "group_file=$(cat ${DIALOUT_FILE} 2>/dev/null || echo denied)"
`;
const PERL = `#!/usr/bin/perl
print '{"answer": ', 6 * 7, ', "threads": true}', "\\n";
`;

const EXPECTED: Readonly<Record<string, string | number | boolean>> = {
  shellUser: 'firstlight',
  shellVariables: 'LANG PATH',
  shellEtc: 'denied',
  shellTmp: 'written',
  shellHome: 'denied',
  shellKmsg: 'hidden',
  shellGroupFile: 'denied',
  perlAnswer: 42,
  perlThreads: true,
};

export async function customSensors({ installed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await installPrograms(root.path);
  await site.configure(
    sensorToml('shell', '/usr/local/bin/shell-sensor') +
      sensorToml('perl', '/usr/local/bin/perl-sensor') +
      sensorToml('misplaced', '/var/lib/misplaced-sensor'),
  );
  const sandbox = await site.openServer();
  const last = (key: string) => sandbox.points({ key }).at(-1)?.value;
  const { machine, service } = await site.boot();
  await machine.bootState();
  const keys = Object.keys(EXPECTED);
  await isTrueWithin(() => keys.every((key) => last(key) !== undefined), WITHIN_MS);
  for (const key of keys)
    findings.expect(last(key) === EXPECTED[key], `${key} is ${last(key)}, not ${EXPECTED[key]}`);
  const isLogged = () => service.hasEvent('FL-CUSTOM-SENSOR-FAILED');
  findings.expect(await isTrueWithin(isLogged, WITHIN_MS), 'the program in /var/lib is not logged as failed');
  const journal = await service.journal();
  const failures = journal
    .filter((entry) => isOfEvent(entry, 'FL-CUSTOM-SENSOR-FAILED'))
    .map(({ message }) => message);
  findings.expect(failures.length === 1, `logged ${failures.length} times: ${failures.join(' | ')}`);
  findings.expect(
    failures.every((message) => /sensor=misplaced .*\/var\b/.test(message)),
    `the line does not name the sensor and /var: ${failures.join(' | ')}`,
  );
  findings.expect(
    !journal.some(({ message }) => message.includes(PROVISIONING.secret)),
    'the secret is in the journal',
  );
  // The documented drop-in, with a group that every Debian has.
  await site.dropIn('custom-sensors', ['[Service]', 'PrivateDevices=no', 'SupplementaryGroups=dialout']);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'restart', 'firstlight.service']);
  const canOpen = () => last('shellGroupFile') === 'opened';
  findings.expect(
    await isTrueWithin(canOpen, WITHIN_MS),
    `SupplementaryGroups= does not open a file: ${last('shellGroupFile')}`,
  );
  findings.expect(last('shellEtc') === 'denied', 'with the drop-in the program can write to /etc');
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
  await writeFile(join(root, DIALOUT_FILE), 'opened', { mode: 0o640 });
  await chown(join(root, DIALOUT_FILE), 0, DIALOUT);
}

function sensorToml(name: string, program: string): string {
  return `[[sensor.exec]]\nname = "${name}"\ncommand = ["${program}"]\nevery = "1s"\n`;
}
