/**
 * The report of simulated weeks, for a terminal: what became of every sample, what must be 0, and for every gateway with a
 * broken promise the command that repeats it and the end of its trace.
 */

import { formatMs } from '../first-boot/report.ts';
import type { Campaign } from './campaign.ts';
import { at, PROMISES } from './checks/ledger.ts';
import type { WeekOutcome } from './one-week.ts';
import type { WeeksTally } from './tally.ts';

const REASONS = [
  'power cut',
  'kill',
  'stop while the disk refused',
  'memory full',
  'spool full',
  'disk full',
  'undatable',
  'malformed',
  'refused',
  'damaged',
] as const;

export function weeksTable(tally: WeeksTally): string {
  const share = (count: number) => `${count} (${((100 * count) / Math.max(1, tally.samples)).toFixed(3)} %)`;
  const lost = (by: string) => [`  lost, ${by}`, share(tally.lost[by] ?? 0)] as const;
  const broken = (promise: (typeof PROMISES)[number]) => tally.broken[promise] ?? 0;
  const misdated = broken('dated right') + broken('one date') + broken('no reading replaced');
  const rows: (readonly [string, string])[] = [
    ['gateways', `${tally.gateways} (${tally.lives} lives)`],
    ['samples taken', String(tally.samples)],
    ['  stored once', share(tally.storedOnce)],
    ['  stored twice, within the stated case', share(tally.storedTwice)],
    ...REASONS.map(lost),
    ['lost beyond the bounds (must be 0)', String(tally.lost['beyond the bounds'] ?? 0)],
    ['mis-dated (must be 0)', String(misdated)],
    ['stored twice otherwise (must be 0)', String(broken('stored once'))],
    [
      'reconstruction errors (must be 0)',
      String(broken('history reconstructs') + broken('stored as sampled')),
    ],
    ['directory writes while online (must be 0)', String(tally.writesWhileOnline)],
    ['repeated on the wire', share(tally.repeated)],
    ['readings behind a loss and before a full one', String(tally.excused)],
    ['told as lost too often, as documented', String(tally.overreported)],
    ['counted as lost, not told before the end of a life', String(tally.unreported)],
    ['worst catch-up after an outage', formatMs(tally.catchUpMsWorst)],
    ['worst drain after all was healed', formatMs(tally.drainedMsWorst)],
    ['gateways with a broken promise (must be 0)', String(tally.red)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

export function brokenWeeks(tally: WeeksTally, campaign: Campaign): string {
  const counts = PROMISES.filter((promise) => tally.broken[promise]).map(
    (promise) => `  ${String(tally.broken[promise]).padStart(7)}  ${promise}`,
  );
  const each = tally.firstRed.map((outcome) => brokenWeek(outcome, campaign));
  return [`broken promises\n${counts.join('\n')}`, ...each].join('\n\n');
}

export function brokenWeek({ seed, broken, trace }: WeekOutcome, campaign: Campaign): string {
  const lines = broken.map(({ promise, atMs, detail }) => `  ${promise} (${at(atMs)}): ${detail}`);
  return [
    `seed ${seed}; again with: ${again(seed, campaign)}`,
    ...lines,
    ...trace.map((line) => `    ${line}`),
  ].join('\n');
}

export function again(
  seed: number,
  { days, plant, oftenKilled }: Pick<Campaign, 'days' | 'plant' | 'oftenKilled'>,
): string {
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  const killed = oftenKilled ? ' --often-killed' : '';
  return `npm run simulate -- weeks --seed ${seed} --gateways 1 --days ${days}${planted}${killed} --trace 400`;
}
