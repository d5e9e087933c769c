/**
 * `npm run simulate`: many first boots in virtual time, and a table of their results. With `weeks` as the
 * first argument: many weeks of many gateways (weeks/main.ts).
 *
 *   --boots N       per strategy; default 1000
 *   --seed N        of the first boot, the others follow; default 1
 *   --strategy S    only one of the four
 *   --plant BUG     plants a bug that the run must find
 *   --trace         prints every event of each boot
 *
 * Exit code 1 if a promise was broken, which a planted bug must cause; 2 for wrong arguments.
 */

import { parseArgs } from 'node:util';
import { parseChoice, parseWholeNumber } from '../arguments.ts';
import { weeks } from '../weeks/main.ts';
import { type CampaignSummary, runCampaign } from './campaign.ts';
import { firstBoot } from './first-boot.ts';
import { PLANT_NAMES, PLANTS, type Plant } from './planted-bugs.ts';
import { brokenPromises, residualRisk, table } from './report.ts';
import { STRATEGY_NAMES, type StrategyName } from './strategies.ts';

interface RunOptions {
  readonly boots: number;
  readonly seed: number;
  readonly strategies: readonly StrategyName[];
  readonly plant: Plant | undefined;
  readonly trace: boolean;
}

function readOptions(): RunOptions {
  const { values } = parseArgs({
    options: {
      boots: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      strategy: { type: 'string' },
      plant: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  });
  return {
    boots: parseWholeNumber('boots', values.boots),
    seed: parseWholeNumber('seed', values.seed),
    strategies:
      values.strategy === undefined
        ? STRATEGY_NAMES
        : [parseChoice('strategy', values.strategy, STRATEGY_NAMES)],
    plant: values.plant === undefined ? undefined : parseChoice('plant', values.plant, PLANT_NAMES),
    trace: values.trace,
  };
}

async function simulate({ boots, seed, strategies, plant, trace }: RunOptions): Promise<number> {
  if (plant) console.log(`planted: ${plant}: ${PLANTS[plant]}\n`);
  const summaries: CampaignSummary[] = [];
  for (const strategy of strategies) {
    if (trace) await printTraces({ boots, seed, strategy, plant });
    const startedMs = performance.now();
    summaries.push(await runCampaign({ strategy, boots, seed, plant }));
    if (!trace) console.error(`${strategy}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
  console.log(`\n${table(summaries)}\n`);
  for (const each of summaries) console.log(`${residualRisk(each)}\n`);
  const failed = summaries.filter((each) => each.failed > 0);
  for (const each of failed)
    console.log(`${each.strategy}: broken promises\n${brokenPromises(each, plant)}\n`);
  return failed.length > 0 ? 1 : 0;
}

async function printTraces(options: {
  readonly boots: number;
  readonly seed: number;
  readonly strategy: StrategyName;
  readonly plant: Plant | undefined;
}): Promise<void> {
  for (let done = 0; done < options.boots; done += 1) {
    const { trace, hash } = await firstBoot({ ...options, seed: options.seed + done, keepsTrace: true });
    console.log(`${trace.join('\n')}\ntrace ${hash}`);
  }
}

try {
  const [first, ...others] = process.argv.slice(2);
  process.exitCode = first === 'weeks' ? await weeks(others) : await simulate(readOptions());
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
