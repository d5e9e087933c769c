/**
 * `firstlight doctor`: walks the way from this host to the server and says of each step whether it is in order; with sockets of its
 * own, without the agent's lock, changing nothing. Ends within about 20 s.
 *
 * Exit codes: 0 no cross, 1 a cross; with --bundle 0 it is written, 73 it is not.
 */

import { setMaxListeners } from 'node:events';
import type { Checked } from '../doctor/check.ts';
import { examine } from '../doctor/examine.ts';
import { hostClock } from '../host/clock.ts';
import { type DoctorOptions, doctorsChecks } from './doctor-checks.ts';
import { labelled, type Paint, paintFor } from './paint.ts';
import type { Terminal } from './terminal.ts';

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
  await using walk = await doctorsChecks(options, environment, clock);
  const tell = (checked: Checked) => {
    if (options.json) return;
    for (const line of checkedLines(checked, terminal.size().columns, paint)) terminal.write(`${line}\n`);
  };
  const all = await examine(walk.checks, clock, tell, terminal.ended);
  const exitCode = crossesOf(all) === 0 ? 0 : 1;
  terminal.write(options.json ? jsonOf(all) : `${verdictOf(all)}\n`);
  if (options.bundle === undefined) return exitCode;
  const { writeBundle } = await import('./bundle.ts');
  return writeBundle(options, { text: textOf(all), json: jsonOf(all) }, { environment, terminal, clock });
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

function jsonOf(all: readonly Checked[]): string {
  const checks = all.map(({ name, finding, tookMs }) => ({ check: name, ...finding, tookMs }));
  const exitCode = crossesOf(all) === 0 ? 0 : 1;
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
