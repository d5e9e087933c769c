/** The part of `npm run test:power` about spooled readings: its experiments as tables, and their failures. */

import { fullDisks } from './full-disk.ts';
import type { Omission } from './power-cuts.ts';
import type { PowerOptions } from './power-options.ts';
import { grid } from './report.ts';
import { type SpoolCutOutcome, spoolCuts } from './spool-cuts.ts';

export interface ExperimentResult {
  readonly text: string;
  readonly failures: readonly string[];
}

/** Both must be caught: the sync of a directory commits the journal of ext4, but not later writes. */
const CONTROLS: readonly (readonly Omission[])[] = [['spool'], ['spool', 'directory']];

export async function spoolUnderPowerCuts({
  spoolCuts: cuts,
  spoolLanes: lanes,
  seed,
}: PowerOptions): Promise<ExperimentResult> {
  const outcomes = await spoolCuts({ cuts, lanes, seed, omit: [] });
  const title = `${cuts} power cuts on ext4 at random instants while readings are queued (seed ${seed})`;
  const bad = outcomes.filter(({ problems }) => problems.length > 0);
  const details = bad.map(
    ({ what, situation, problems }) => `  ${what} (${situation}): ${problems.join('; ')}`,
  );
  return {
    text: [title, table(outcomes), ...details].join('\n'),
    failures: bad.length > 0 ? [`${bad.length} violations in: ${title}`] : [],
  };
}

export async function spoolWithoutSyncs(options: PowerOptions): Promise<ExperimentResult> {
  const { spoolControlCuts: cuts, spoolLanes: lanes, seed } = options;
  const texts: string[] = [];
  const failures: string[] = [];
  for (const omit of CONTROLS) {
    const title = `Control without the sync of: ${omit.join(', ')}`;
    const outcomes = await spoolCuts({ cuts, lanes, seed, omit });
    const caught = outcomes.filter(({ problems }) => problems.length > 0).length;
    texts.push([title, table(outcomes), `  caught in ${caught} of ${cuts} cuts`].join('\n'));
    if (caught === 0) failures.push(`${title}: not caught`);
  }
  return { text: texts.join('\n\n'), failures };
}

export async function spoolOnFullDisks(_options: PowerOptions): Promise<ExperimentResult> {
  const outcomes = await fullDisks();
  const rows = outcomes.map(({ what, code, queued, stoppedMs, problems }) => [
    what,
    code,
    String(queued),
    String(stoppedMs),
    String(problems.length),
  ]);
  const title = 'Disks that cannot be written while readings are queued';
  const details = outcomes.flatMap(({ what, problems }) =>
    problems.map((problem) => `  ${what}: ${problem}`),
  );
  const head = ['the disk', 'error', 'read meanwhile', 'SIGTERM to exit, ms', 'violations'];
  return {
    text: [title, grid([head, ...rows]), ...details].join('\n'),
    failures: details.length > 0 ? [`${details.length} violations in: ${title}`] : [],
  };
}

function table(outcomes: readonly SpoolCutOutcome[]): string {
  const situations = [...new Set(outcomes.map(({ situation }) => situation)), undefined];
  const rows = situations.map((situation) => {
    const these = outcomes.filter((outcome) => situation === undefined || outcome.situation === situation);
    const sum = (of: (outcome: SpoolCutOutcome) => number) =>
      these.reduce((total, each) => total + of(each), 0);
    return [
      situation ?? 'all',
      these.length,
      sum(({ before, after, lost }) => before + after + lost),
      sum(({ before }) => before),
      sum(({ after }) => after),
      sum(({ lost }) => lost),
      Math.max(0, ...these.map(({ lostMs }) => lostMs)),
      sum(({ reported }) => reported),
      sum(({ repeated }) => repeated),
      sum(({ problems }) => (problems.length > 0 ? 1 : 0)),
    ].map(String);
  });
  const head = [
    'situation',
    'cuts',
    'read',
    'delivered before',
    'after',
    'lost',
    'oldest lost, ms',
    'reported lost',
    'repeated',
  ];
  return grid([[...head, 'violations'], ...rows]);
}
