/**
 * The hardening of the unit: a service with every line of the shipped unit, but with a program that tries
 * forbidden operations, must be denied all of them. As root without the sandbox the same program must
 * succeed, which shows that it really tries.
 */

import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FORBIDDEN_COUNT,
  FOREIGN_FILE,
  forbiddenOperationsProgram,
  SETUID_PROGRAM,
} from '../forbidden-operations.ts';
import type { Machine } from '../machine.ts';
import { type Environment, Findings, type Report } from '../scenario.ts';
import { Site } from '../site.ts';

const PROBE = '/usr/lib/firstlight-test.mjs';
const PROBE_UNIT = 'firstlight-test.service';
/** Lines that are replaced, so that another program runs once; the rest is the shipped unit. */
const REPLACED =
  /^\s*(ExecStart|ExecStartPre|ExecStartPost|ExecReload|ExecStop|Type|NotifyAccess|WatchdogSec|Restart\w*|StateDirectory|RuntimeDirectory|Sockets|WantedBy)\s*=/;
/** Denied even to root in the container, so there is nothing to compare with. */
const DENIED_BY_CONTAINER = new Set([
  'set the clock',
  'load a kernel module',
  'set a kernel parameter',
  'read the kernel log',
  'make a control group',
]);
/** Of systemd-analyze security, in tenths: 1.5. */
const EXPOSURE_MAX = 15;

interface Attempt {
  /** Of forbidden-operations.ts. */
  readonly kind: 'forbidden' | 'tolerated';
  readonly name: string;
  readonly isDenied: boolean;
  readonly observed: string;
}

export async function hardening({ installed }: Environment): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.configure();
  await createBait(root.path);
  const { machine } = await site.boot();
  await machine.bootState();

  // First, because the effects of root without the sandbox remain.
  const confined = parseAttempts(await runInSandbox(machine, root.path));
  const unconfined = parseAttempts((await machine.run(['node', PROBE])).out);
  if (confined.length === 0)
    throw new Error(`the probe did not run in the sandbox: ${(await status(machine)).trim()}`);
  findings.expect(
    confined.length > FORBIDDEN_COUNT,
    `the probe in the sandbox tried only ${confined.length} operations`,
  );
  for (const { kind, name, isDenied } of confined) {
    if (kind === 'forbidden') findings.expect(isDenied, `not denied: ${name}`);
    else if (!isDenied) findings.figure(`can ${name}`);
  }
  for (const { name, isDenied, observed } of unconfined) {
    if (isDenied && !DENIED_BY_CONTAINER.has(name) && name !== 'open a packet socket')
      findings.problems.push(
        `denied to root without the sandbox too, so it proves nothing: ${name} (${observed})`,
      );
  }
  findings.figure(
    `${confined.filter(({ kind, isDenied }) => kind === 'forbidden' && isDenied).length} of ${FORBIDDEN_COUNT} operations denied`,
  );
  const deniedByContainer = unconfined
    .filter(({ name, isDenied }) => isDenied && DENIED_BY_CONTAINER.has(name))
    .map(({ name }) => name);
  if (deniedByContainer.length > 0)
    findings.skip(`the container itself denies these: ${deniedByContainer.join(', ')}`);
  await checkExposure(machine, findings);
  return findings;
}

/** Creates files that only the sandbox protects from a user without root rights. */
async function createBait(root: string): Promise<void> {
  const inside = (path: string) => join(root, path);
  await mkdir(inside('home/alice'), { recursive: true });
  await writeFile(inside(FOREIGN_FILE), 'dear diary', { mode: 0o644 });
  await chmod(inside('root'), 0o755);
  await copyFile(inside('usr/bin/id'), inside(SETUID_PROGRAM));
  await chmod(inside(SETUID_PROGRAM), 0o4755);
  await writeFile(inside(PROBE), forbiddenOperationsProgram(), { mode: 0o644 });
}

/** The output of the probe in a copy of the unit, or the messages of its failed start. */
async function runInSandbox(machine: Machine, root: string): Promise<string> {
  const { out: unit } = await machine.run(['systemctl', 'cat', 'firstlight.service']);
  const lines = joinContinuedLines(unit).filter((line) => !REPLACED.test(line));
  const at = lines.findIndex((line) => line.trim() === '[Service]') + 1;
  const replacement = ['Type=oneshot', `ExecStart=/usr/bin/node ${PROBE}`, 'StateDirectory=firstlight-test'];
  const text = [...lines.slice(0, at), ...replacement, ...lines.slice(at)].join('\n');
  await writeFile(join(root, 'etc', 'systemd', 'system', PROBE_UNIT), `${text}\n`);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'start', PROBE_UNIT]);
  return (await machine.run(['journalctl', '-b', '--no-pager', '-o', 'cat', '-u', PROBE_UNIT])).out;
}

async function status(machine: Machine): Promise<string> {
  return (await machine.run(['systemctl', 'status', '--no-pager', '--full', PROBE_UNIT])).out;
}

/** A line that ends with a backslash continues on the next line. */
function joinContinuedLines(unit: string): string[] {
  return unit.replaceAll(/\\\n\s*/g, ' ').split('\n');
}

async function checkExposure(machine: Machine, findings: Findings): Promise<void> {
  const { out } = await machine.run(['systemd-analyze', 'security', '--no-pager', 'firstlight.service']);
  const level = /Overall exposure level for \S+ (\d+\.\d)/.exec(out)?.[1];
  findings.figure(`exposure ${level}`);
  findings.expect(
    Number(level) * 10 <= EXPOSURE_MAX,
    `systemd-analyze security reports ${level}, more than ${EXPOSURE_MAX / 10}`,
  );
}

function parseAttempts(text: string): Attempt[] {
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Attempt] : []));
}
