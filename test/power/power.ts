/**
 * `npm run test:power`: kills at every call of a first boot, double kills, power cuts on a real file system
 * with control experiments, and the bytes that a first boot writes; then power cuts and full disks with
 * queued readings (power-spool.ts). Prints tables; exit code 1 on any violation, or if a control experiment
 * is not caught. Options: power-options.ts. Skips, with the reason, what this machine cannot do.
 */

import { createRandom } from '../../src/sandbox/core/random.ts';
import { diskWrites } from './disk-writes.ts';
import { openExperiment, runInLanes } from './experiment.ts';
import { kernelCallsOfAFirstBoot, killAtKernelCall, straceProblem } from './kernel-kills.ts';
import { callsOfAFirstBoot, killAt } from './kills.ts';
import { loopDiskProblem } from './loop-disk.ts';
import { type Omission, powerCuts } from './power-cuts.ts';
import { readOptions } from './power-options.ts';
import { spoolOnFullDisks, spoolUnderPowerCuts, spoolWithoutSyncs } from './power-spool.ts';
import { listing, type Outcome, table, violations } from './report.ts';

const options = readOptions();
const SERVER_LATENCY_MAX_MS = 10;
const ONLINE_FOR_MS = 30_000;

/** The omitted syncs, and whether that shows on ext4. */
const CONTROLS: readonly { readonly omit: readonly Omission[]; readonly mustBeCaught: boolean }[] = [
  { omit: ['main', 'backup'], mustBeCaught: true },
  { omit: ['directory', 'backup'], mustBeCaught: true },
  { omit: ['directory', 'main', 'backup'], mustBeCaught: true },
  // On ext4 the sync of the backup file commits the journal, and with it the earlier rename of the main file.
  { omit: ['directory'], mustBeCaught: false },
];

process.setMaxListeners(100); // one for each process and mount that must not outlive this one
const failures: string[] = [];
const skipped: string[] = [];

// An early end must not leave mounts and processes behind: their `exit` listeners run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const diskProblem = await loopDiskProblem();
if (options.only !== 'spool') {
  await everyCall();
  await everyKernelCall();
  if (diskProblem !== undefined) skip('power cuts, their controls and the disk writes', diskProblem);
  else {
    await cuts();
    await controls();
    await writes();
  }
}
if (options.only !== 'boot') {
  if (diskProblem !== undefined)
    skip('power cuts with queued readings, their controls, full disks', diskProblem);
  else await spool();
}
if (skipped.length > 0) print(`skipped: ${skipped.length}\n${skipped.map((line) => `  ${line}`).join('\n')}`);
print(failures.length === 0 ? 'no violation' : `FAILED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function everyCall(): Promise<void> {
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const calls = await callsOfAFirstBoot(experiment);
  const instants = Array.from({ length: calls.length + 1 }, (_, index) => index + 1);
  const single = await runInLanes(options.lanes, instants, (at) => killAt(experiment, `gw-${at}`, [at]));
  reportOutcomes(`Killed before every one of ${calls.length} calls of a first boot`, single);
  const random = createRandom(options.seed);
  const pairs = Array.from({ length: options.doubleKills }, (_, index) => ({
    index,
    instants: [random(), random()].map((share) => 1 + Math.floor(share * calls.length)),
  }));
  const double = await runInLanes(options.lanes, pairs, ({ index, instants: both }) =>
    killAt(experiment, `gw-twice-${index}`, both),
  );
  reportOutcomes(`Killed at random in the first boot and again in the second (seed ${options.seed})`, double);
}

async function everyKernelCall(): Promise<void> {
  const problem = straceProblem();
  if (problem !== undefined) return skip('kills at every system call', problem);
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const calls = await kernelCallsOfAFirstBoot(experiment);
  const outcomes = await runInLanes(options.lanes, [...calls.entries()], ([index, call]) =>
    killAtKernelCall(experiment, `gw-${index}`, call),
  );
  const killed = outcomes.filter(({ hit }) => hit !== 'none');
  const exact = killed.filter(({ hit }) => hit === 'this').length;
  reportOutcomes(
    `Killed by strace on entering a system call: ${exact} of ${killed.length} hit exactly`,
    outcomes,
  );
  // An inexact hit is the same call in another thread; many of them would mean that strace counts
  // differently.
  if (killed.length === 0 || exact < killed.length * 0.9)
    failures.push('too few system calls were hit exactly');
}

async function cuts(): Promise<void> {
  const { cuts: count, lanes, seed } = options;
  const outcomes = await powerCuts({ cuts: count, lanes, seed, omit: [] });
  reportOutcomes(`${count} power cuts on ext4 at random instants of a first boot (seed ${seed})`, outcomes);
}

async function controls(): Promise<void> {
  const { controlCuts, lanes, seed } = options;
  for (const { omit, mustBeCaught } of CONTROLS) {
    const title = `Control without the sync of: ${omit.join(', ')}`;
    const outcomes = await powerCuts({ cuts: controlCuts, lanes, seed, omit });
    const bad = violations(outcomes);
    const caught = bad.length;
    const stranded = bad.filter(({ problems }) =>
      problems.some((text) => text.startsWith('did not deliver')),
    );
    print(
      `${table(title, outcomes)}\n  caught in ${caught} of ${controlCuts} cuts, the gateway was stranded in ${stranded.length}`,
    );
    if (mustBeCaught && caught === 0) failures.push(`${title}: not caught`);
  }
}

async function writes(): Promise<void> {
  const { bootBytes, bootWrites, onlineForMs, onlineReadings, onlineBytes } = await diskWrites(ONLINE_FOR_MS);
  print(
    `Device writes (ext4 as mounted by default)\n  a first boot: ${bootBytes} bytes in ${bootWrites} writes\n  ${onlineForMs / 1000} s online, ${onlineReadings} readings accepted: ${onlineBytes} bytes`,
  );
  if (onlineBytes > 0) failures.push('an online agent writes to the disk');
  if (onlineReadings === 0) failures.push('the agent was not online during the measurement');
}

async function spool(): Promise<void> {
  for (const experiment of [spoolUnderPowerCuts, spoolWithoutSyncs, spoolOnFullDisks]) {
    const result = await experiment(options);
    print(result.text);
    failures.push(...result.failures);
  }
}

function reportOutcomes(title: string, outcomes: readonly Outcome[]): void {
  const bad = violations(outcomes);
  print(table(title, outcomes));
  if (bad.length === 0) return;
  print(listing(bad));
  failures.push(`${bad.length} violations in: ${title}`);
}

function skip(what: string, reason: string): void {
  skipped.push(`${what}: ${reason}`);
}

function print(text: string): void {
  console.log(`${text}\n`);
}
