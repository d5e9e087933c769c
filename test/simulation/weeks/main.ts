/**
 * `npm run simulate -- weeks`: many gateways, each for days in virtual time, and the fate of every reading.
 *
 *   --gateways N    default 100
 *   --days N        of virtual time for each; default 7
 *   --seed N        of the first gateway, the others follow; default 1
 *   --plant BUG     plants a bug that the run must find
 *   --often-killed  kills each agent a dozen times in each boot
 *   --disk-fault F  each disk has this fault half of the time: read-only, io, full or low
 *   --trace N       prints the last N events of each gateway with a broken promise; default 0
 *
 * Exit code 1 if a promise was broken, which a planted bug must cause; 2 for wrong arguments.
 */

import { parseArgs } from 'node:util';
import { parseChoice, parseWholeNumber } from '../arguments.ts';
import { type Campaign, simulateWeeks } from './campaign.ts';
import { DISK_FAULTS } from './plan/week-plan.ts';
import { WEEK_PLANT_NAMES, WEEK_PLANTS } from './planted-bugs.ts';
import { brokenWeeks, weeksTable } from './report.ts';

const PROGRESS_EVERY_MS = 10_000;

function readCampaign(args: readonly string[]): Campaign {
  const { values } = parseArgs({
    args: [...args],
    options: {
      gateways: { type: 'string', default: '100' },
      days: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
      plant: { type: 'string' },
      'often-killed': { type: 'boolean' },
      'disk-fault': { type: 'string' },
      trace: { type: 'string', default: '0' },
    },
  });
  const { 'disk-fault': diskFault } = values;
  return {
    gateways: parseWholeNumber('gateways', values.gateways),
    days: parseWholeNumber('days', values.days),
    seed: parseWholeNumber('seed', values.seed),
    plant: values.plant === undefined ? undefined : parseChoice('plant', values.plant, WEEK_PLANT_NAMES),
    oftenKilled: values['often-killed'],
    diskFault: diskFault === undefined ? undefined : parseChoice('disk-fault', diskFault, DISK_FAULTS),
    traceMax: parseWholeNumber('trace', values.trace),
  };
}

/** Returns the exit code. */
export async function weeks(args: readonly string[]): Promise<number> {
  const campaign = readCampaign(args);
  const { plant, gateways } = campaign;
  if (plant) console.log(`planted: ${plant}: ${WEEK_PLANTS[plant]}\n`);
  const startedMs = performance.now();
  let printedMs = startedMs;
  const summary = await simulateWeeks(campaign, (done) => {
    const nowMs = performance.now();
    if (nowMs - printedMs < PROGRESS_EVERY_MS) return;
    printedMs = nowMs;
    console.error(`${done} of ${gateways} gateways, ${Math.round((nowMs - startedMs) / 1000)} s`);
  });
  console.error(`${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  console.log(`\n${weeksTable(summary)}\n`);
  if (summary.failed === 0) return 0;
  console.log(`${brokenWeeks(summary, campaign)}\n`);
  return 1;
}
