/**
 * The hardening bites: a service with every line of the shipped unit, but a program that tries what is forbidden, is refused all of it. The same
 * program as root without a sandbox is refused nothing, which shows that it really tries.
 */

import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ACT_COUNT, forbiddenActs, SETUID_PROGRAM, STRANGERS_SECRET } from '../forbidden-operations.ts';
import type { Machine } from '../machine.ts';
import { Findings, type Ground, type Report } from '../scenario.ts';
import { Site } from '../site.ts';

const PROBE = '/usr/lib/firstlight-test.mjs';
const PROBE_UNIT = 'firstlight-test.service';
/** What makes it another program, that runs once; the rest is the shipped unit. */
const REPLACED =
  /^\s*(ExecStart|ExecStartPre|ExecStartPost|ExecReload|ExecStop|Type|NotifyAccess|WatchdogSec|Restart\w*|StateDirectory|RuntimeDirectory|Sockets|WantedBy)\s*=/;
/** The container's own root may not do these either: nothing to compare with. */
const BEYOND_THE_CONTAINER = new Set([
  'set the clock',
  'load a kernel module',
  'set a kernel parameter',
  'read the kernel log',
  'make a control group',
]);
/** systemd-analyze security: 15 is 1.5. */
const EXPOSURE_MAX = 15;

interface Attempt {
  readonly kind: 'act' | 'wish';
  readonly name: string;
  readonly isDenied: boolean;
  readonly observed: string;
}

export async function hardening({ installed }: Ground): Promise<Report> {
  await using root = await installed.root();
  await using site = await Site.open(root.path);
  const findings = new Findings();
  await site.configure();
  await createBait(root.path);
  const { machine } = await site.boot();
  await machine.booted();

  // First, because what root does without a sandbox stays.
  const held = attempts(await inTheSandbox(machine, root.path));
  const free = attempts((await machine.run(['node', PROBE])).out);
  if (held.length === 0)
    throw new Error(`the probe did not run in the sandbox: ${(await status(machine)).trim()}`);
  findings.expect(held.length > ACT_COUNT, `the probe in the sandbox tried ${held.length} acts only`);
  for (const { kind, name, isDenied } of held) {
    if (kind === 'act') findings.expect(isDenied, `not refused: ${name}`);
    else if (!isDenied) findings.figure(`may ${name}`);
  }
  for (const { name, isDenied, observed } of free) {
    if (isDenied && !BEYOND_THE_CONTAINER.has(name) && name !== 'open a packet socket')
      findings.problems.push(
        `root without a sandbox is refused, too, so it shows nothing: ${name} (${observed})`,
      );
  }
  findings.figure(
    `${held.filter(({ kind, isDenied }) => kind === 'act' && isDenied).length} of ${ACT_COUNT} acts refused`,
  );
  const excess = free
    .filter(({ name, isDenied }) => isDenied && BEYOND_THE_CONTAINER.has(name))
    .map(({ name }) => name);
  if (excess.length > 0) findings.skip(`the container refuses these by itself: ${excess.join(', ')}`);
  await exposure(machine, findings);
  return findings;
}

/** Only the sandbox keeps these from somebody who is not root. */
async function createBait(root: string): Promise<void> {
  const inside = (path: string) => join(root, path);
  await mkdir(inside('home/alice'), { recursive: true });
  await writeFile(inside(STRANGERS_SECRET), 'dear diary', { mode: 0o644 });
  await chmod(inside('root'), 0o755);
  await copyFile(inside('usr/bin/id'), inside(SETUID_PROGRAM));
  await chmod(inside(SETUID_PROGRAM), 0o4755);
  await writeFile(inside(PROBE), forbiddenActs(), { mode: 0o644 });
}

/** What the probe printed in a copy of the unit; its own words when it could not start. */
async function inTheSandbox(machine: Machine, root: string): Promise<string> {
  const { out: unit } = await machine.run(['systemctl', 'cat', 'firstlight.service']);
  const kept = merged(unit).filter((line) => !REPLACED.test(line));
  const at = kept.findIndex((line) => line.trim() === '[Service]') + 1;
  const own = ['Type=oneshot', `ExecStart=/usr/bin/node ${PROBE}`, 'StateDirectory=firstlight-test'];
  const text = [...kept.slice(0, at), ...own, ...kept.slice(at)].join('\n');
  await writeFile(join(root, 'etc', 'systemd', 'system', PROBE_UNIT), `${text}\n`);
  await machine.run(['systemctl', 'daemon-reload']);
  await machine.run(['systemctl', 'start', PROBE_UNIT]);
  return (await machine.run(['journalctl', '-b', '--no-pager', '-o', 'cat', '-u', PROBE_UNIT])).out;
}

async function status(machine: Machine): Promise<string> {
  return (await machine.run(['systemctl', 'status', '--no-pager', '--full', PROBE_UNIT])).out;
}

/** A line that ends with a backslash goes on in the next. */
function merged(unit: string): string[] {
  return unit.replaceAll(/\\\n\s*/g, ' ').split('\n');
}

async function exposure(machine: Machine, findings: Findings): Promise<void> {
  const { out } = await machine.run(['systemd-analyze', 'security', '--no-pager', 'firstlight.service']);
  const level = /Overall exposure level for \S+ (\d+\.\d)/.exec(out)?.[1];
  findings.figure(`exposure ${level}`);
  findings.expect(
    Number(level) * 10 <= EXPOSURE_MAX,
    `systemd-analyze security says ${level}, more than ${EXPOSURE_MAX / 10}`,
  );
}

function attempts(text: string): Attempt[] {
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Attempt] : []));
}
