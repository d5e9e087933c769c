/**
 * `firstlight doctor`: walks the way from this host to the server and says of each step whether it is in order; with sockets of its
 * own, without the agent's lock, changing nothing. Ends within about 20 s. With --provision it gets the gateway in first.
 *
 * Exit codes: 0 no cross, 1 a cross; with --bundle 0 it is written, 73 it is not; 130 stopped before all was looked at.
 */

import { setMaxListeners } from 'node:events';
import { EX_FAILED, EX_OK, EX_STOPPED } from '../../app/exit-codes.ts';
import { stateDirectory } from '../../app/paths.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type Checked, dash, type Finding } from '../../doctor/check.ts';
import { examine } from '../../doctor/run-checks.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { labelled, type Paint, paintFor } from '../ui/style.ts';
import type { Terminal } from '../ui/terminal.ts';
import { type DoctorOptions, doctorsChecks, load } from './checks.ts';

export const DOCTOR_SCHEMA = 1;

export async function doctorCommand(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number> {
  const clock = hostClock();
  const paint = paintFor(terminal);
  // Each check listens for the end.
  setMaxListeners(0, terminal.ended);
  const isAsked = options.provision !== undefined;
  const provisioned = isAsked ? await provisionFirst(options, environment, terminal, clock) : undefined;
  const tell = (checked: Checked) => {
    if (options.json) return;
    for (const line of checkedLines(checked, terminal.size().columns, paint)) terminal.write(`${line}\n`);
  };
  const all = await examined(options, environment, { clock, terminal, tell, provisioned });
  const isStopped = terminal.ended.aborted;
  const exitCode = isStopped ? EX_STOPPED : crossesOf(all) === 0 ? EX_OK : EX_FAILED;
  const json = jsonOf(all, exitCode);
  if (options.json) terminal.write(json);
  else terminal.write(`${isStopped ? 'stopped before all was looked at' : verdictOf(all)}\n`);
  if (options.bundle === undefined || isStopped) return exitCode;
  const { writeBundle } = await import('./support-bundle.ts');
  return writeBundle(options, { text: textOf(all), json }, { environment, terminal, clock });
}

/** Stopped while it provisioned, it has nothing else to say. */
async function examined(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  { clock, terminal, tell, provisioned }: Examination,
): Promise<readonly Checked[]> {
  if (provisioned && terminal.ended.aborted) {
    const checked = { name: 'provisioning', finding: provisioned, tookMs: 0 };
    tell(checked);
    return [checked];
  }
  await using walk = await doctorsChecks(options, environment, clock, provisioned);
  return await examine(walk.checks, clock, tell, terminal.ended);
}

interface Examination {
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly tell: (checked: Checked) => void;
  readonly provisioned: Finding | undefined;
}

async function provisionFirst(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
  clock: Clock,
): Promise<Finding> {
  const loaded = load(options, environment);
  if (!('config' in loaded)) return dash('the configuration has problems, so nothing was sent');
  const { PROVISION_S, provisionNow } = await import('./provision.ts');
  const seconds = typeof options.provision === 'number' ? options.provision : PROVISION_S;
  const state = stateDirectory(options, environment);
  if (!options.json)
    terminal.write(`provisioning as the agent would, for at most ${seconds} s; Ctrl-C is safe …\n`);
  return provisionNow(loaded.config, { state, clock, withinMs: seconds * 1000 }, terminal.ended);
}

function crossesOf(all: readonly Checked[]): number {
  return all.filter(({ finding }) => finding.mark === 'cross').length;
}

function verdictOf(all: readonly Checked[]): string {
  const crosses = crossesOf(all);
  return crosses === 0 ? 'nothing is wrong that could be seen from here' : `${crosses} to put right`;
}

function textOf(all: readonly Checked[]): string {
  const lines = all.flatMap((checked) =>
    checkedLines(checked, Number.POSITIVE_INFINITY, (_tone, text) => text),
  );
  return `${[...lines, verdictOf(all)].join('\n')}\n`;
}

function jsonOf(all: readonly Checked[], exitCode: number): string {
  const checks = all.map(({ name, finding, tookMs }) => ({ check: name, ...finding, tookMs }));
  return `${JSON.stringify({ schema: DOCTOR_SCHEMA, exitCode, checks }, undefined, 2)}\n`;
}

const MARKS = { tick: '✓', cross: '✗', dash: '–' } as const;
const TONES = { tick: 'good', cross: 'bad', dash: 'dim' } as const;
const LABEL = 20;

function checkedLines({ name, finding }: Checked, width: number, paint: Paint): readonly string[] {
  const head = labelled(`${MARKS[finding.mark]} ${name}`, finding.seen, LABEL, width);
  const more =
    finding.mark === 'cross'
      ? [
          ...labelled('', `means: ${finding.means}`, LABEL, width),
          ...labelled('', `do: ${finding.todo}`, LABEL, width),
        ]
      : [];
  return [...head.map((line) => paint(TONES[finding.mark], line)), ...more];
}
