/**
 * The report of simulated weeks for a terminal: the fate of every sample, the counts that must be 0, and for
 * every gateway with a broken promise the command that repeats it and the end of its trace.
 */

import { formatMs } from '../first-boot/report.ts';
import type { Campaign } from './campaign.ts';
import { formatTime, PROMISES } from './checks/ledger.ts';
import type { WeekOutcome } from './one-week.ts';
import type { WeeksSummary } from './summary.ts';

const REASONS = [
  'power cut',
  'kill',
  'stop while the disk failed',
  'memory full',
  'spool full',
  'disk full',
  'undatable',
  'malformed',
  'refused',
  'damaged',
] as const;

export function weeksTable(summary: WeeksSummary): string {
  const share = (count: number) =>
    `${count} (${((100 * count) / Math.max(1, summary.samples)).toFixed(3)} %)`;
  const lost = (by: string) => [`  lost, ${by}`, share(summary.lost[by] ?? 0)] as const;
  const broken = (promise: (typeof PROMISES)[number]) => summary.broken[promise] ?? 0;
  const wrongTimestamps =
    broken('correct timestamp') + broken('one timestamp') + broken('no reading replaced');
  const wrongCommands = broken('no command run twice') + broken('no acknowledged command lost');
  const wrongSettings =
    broken('no setting that cuts off stays') +
    broken('confirmed settings survive') +
    broken('no settings write without a change');
  const rows: (readonly [string, string])[] = [
    ['gateways', `${summary.gateways} (${summary.starts} starts of the agent)`],
    ['samples taken', String(summary.samples)],
    ['  stored once', share(summary.storedOnce)],
    ['  stored twice, as documented', share(summary.storedTwice)],
    ...REASONS.map(lost),
    ['lost beyond the bounds (must be 0)', String(summary.lost['beyond the bounds'] ?? 0)],
    ['wrong timestamp (must be 0)', String(wrongTimestamps)],
    ['stored twice otherwise (must be 0)', String(broken('stored once'))],
    [
      'reconstruction errors (must be 0)',
      String(broken('history reconstructs') + broken('stored as sampled')),
    ],
    ['directory writes while online (must be 0)', String(summary.writesWhileOnline)],
    ['commands executed', String(summary.commands)],
    ['  executed twice, or acknowledged and lost (must be 0)', String(wrongCommands)],
    [
      'settings on trial',
      `${summary.trials} (${summary.interruptedTrials} with a kill, power cut or stop meanwhile)`,
    ],
    ['  cut off, not stored or written without a change (must be 0)', String(wrongSettings)],
    ['repeated on the wire', share(summary.repeated)],
    ['readings between a loss and the next snapshot', String(summary.excused)],
    ['reported as lost too often, as documented', String(summary.overreported)],
    ['counted as lost, not reported before the end of a process', String(summary.unreported)],
    ['worst catch-up after an outage', formatMs(summary.catchUpMsWorst)],
    ['worst drain after the end of the faults', formatMs(summary.drainedMsWorst)],
    ['gateways with a broken promise (must be 0)', String(summary.failed)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

export function brokenWeeks(summary: WeeksSummary, campaign: Campaign): string {
  const counts = PROMISES.filter((promise) => summary.broken[promise]).map(
    (promise) => `  ${String(summary.broken[promise]).padStart(7)}  ${promise}`,
  );
  const each = summary.firstFailed.map((outcome) => brokenWeek(outcome, campaign));
  return [`broken promises\n${counts.join('\n')}`, ...each].join('\n\n');
}

export function brokenWeek({ seed, broken, trace }: WeekOutcome, campaign: Campaign): string {
  const lines = broken.map(({ promise, atMs, detail }) => `  ${promise} (${formatTime(atMs)}): ${detail}`);
  return [
    `seed ${seed}; repeat with: ${repeatCommand(seed, campaign)}`,
    ...lines,
    ...trace.map((line) => `    ${line}`),
  ].join('\n');
}

export function repeatCommand(
  seed: number,
  { days, plant, oftenKilled, diskFault }: Pick<Campaign, 'days' | 'plant' | 'oftenKilled' | 'diskFault'>,
): string {
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  const faults = `${oftenKilled ? ' --often-killed' : ''}${diskFault ? ` --disk-fault ${diskFault}` : ''}`;
  return `npm run simulate -- weeks --seed ${seed} --gateways 1 --days ${days}${planted}${faults} --trace 400`;
}
