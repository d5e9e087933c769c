/**
 * `npm run test:system`: the package on a real Debian with a real systemd, in containers: installed, booted,
 * its network cut, hung, its power cut, its disk filled. Prints a table; exit code 1 on any violation.
 * Options: options.ts.
 *
 * Leaves nothing on this machine, also after Ctrl-C, except the files of Debian in /var/tmp for the next run.
 * Where it cannot run, all scenarios are skipped with the reason.
 */

import { join } from 'node:path';
import { openWorkDirectory, removeStale } from './cleanup.ts';
import { readOptions } from './options.ts';
import { installedLayer, packages } from './packages.ts';
import { containerProblem } from './requirements.ts';
import { createRootTar, unpackRoot } from './root-files.ts';
import { Layers } from './root-layers.ts';
import type { Environment, Report, Scenario } from './scenario.ts';
import { STAGES } from './scenario-list.ts';

/** Printed violations of one scenario: the first ones lead to the cause. */
const SHOWN_VIOLATIONS_MAX = 12;

const options = readOptions();
const stages = STAGES.map((stage) => stage.filter(({ name }) => isSelected(name))).filter(
  ({ length }) => length > 0,
);
const scenarios = stages.flat();
if (scenarios.length === 0)
  throw new Error(
    `no scenario is called ${options.only.join(', ')}: ${STAGES.flat()
      .map(({ name }) => name)
      .join(', ')}`,
  );

process.setMaxListeners(200); // one for each resource that must not outlive this process
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const startedMs = performance.now();
const failed: string[] = [];
const skipped: string[] = [];
const problem = await containerProblem();
if (problem === undefined) {
  removeStale();
  await using place = await openWorkDirectory();
  await runStages(await prepareEnvironment(place.path));
} else {
  skipped.push(...scenarios.map(({ name }) => `${name}: ${problem}`));
}
if (skipped.length > 0) print(`skipped: ${skipped.length}\n${skipped.map((line) => `  ${line}`).join('\n')}`);
// Once more, because a log may keep only its end.
if (failed.length > 0) print(failed.join('\n'));
print(
  `${failed.length === 0 ? 'no violation' : `FAILED: ${failed.length} scenarios`}, ${seconds(performance.now() - startedMs)}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function prepareEnvironment(place: string): Promise<Environment> {
  await createRootTar();
  const debian = join(place, 'debian');
  await unpackRoot(debian);
  const bare = new Layers(place, [debian]);
  const built = await packages(join(place, 'packages'), options.packages);
  const environment = { place, packages: built, bare, cuts: options.cuts, seed: options.seed };
  return { ...environment, installed: await installedLayer(bare, built.lower) };
}

async function runStages(environment: Environment): Promise<void> {
  print(`prepared in ${seconds(performance.now() - startedMs)}`);
  for (const stage of stages) await Promise.all(stage.map((scenario) => runScenario(scenario, environment)));
}

async function runScenario({ name, run }: Scenario, environment: Environment): Promise<void> {
  const beganMs = performance.now();
  const report = await run(environment).catch(reportFromError);
  const isBad = report.problems.length > 0;
  skipped.push(...(report.skipped ?? []).map((line) => `${name}: ${line}`));
  const head = `${name.padEnd(24)} ${isBad ? 'FAILED' : 'ok'}`.padEnd(32);
  const lines = [`${head} ${seconds(performance.now() - beganMs).padStart(6)}  ${report.figures.join('; ')}`];
  const violations = report.problems.slice(0, SHOWN_VIOLATIONS_MAX).map((line) => `    violation: ${line}`);
  if (report.problems.length > SHOWN_VIOLATIONS_MAX)
    violations.push(`    and ${report.problems.length - SHOWN_VIOLATIONS_MAX} more`);
  const text = [...lines, ...violations].join('\n');
  print(text);
  if (isBad) failed.push(text);
}

/** A scenario that did not run to its end proves nothing, so it has failed. */
function reportFromError(error: unknown): Report {
  return { figures: [], problems: [`did not run to its end: ${textOf(error)}`] };
}

/** With both errors if the first one also kept a disposal from its end. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { error: later, suppressed } = error as Partial<SuppressedError>;
  if (suppressed !== undefined) return `${textOf(suppressed)}\nthen ${textOf(later)}`;
  return error.stack ?? error.message;
}

function isSelected(name: string): boolean {
  return options.only.length === 0 || options.only.some((word) => name.startsWith(word));
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
