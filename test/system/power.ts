/**
 * `npm run test:power`: what pulls the plug. Every call of a first boot killed, double kills, power cuts on a real file system with
 * their control experiments, and what a first boot writes; then power cuts and full disks while readings wait (power-spool.ts). Prints
 * tables; exit code 1 on any violation, or when a control is not caught.
 *
 * Options: power-options.ts. What this machine cannot do is skipped, with the reason, and counted.
 */

import { createRandom } from '../../src/sandbox/core/random.ts';
import { diskWrites } from './disk-writes.ts';
import { inLanes, openExperiment } from './experiment.ts';
import { kernelCallsOfAFirstBoot, killAtKernelCall, whyNoStrace } from './kernel-kills.ts';
import { callsOfAFirstBoot, killAt } from './kills.ts';
import { whyNoLoopDisk } from './loop-disk.ts';
import { type Omission, powerCuts } from './power-cuts.ts';
import { readOptions } from './power-options.ts';
import { spoolOnFullDisks, spoolUnderPowerCuts, spoolWithoutSyncs } from './power-spool.ts';
import { listing, type Outcome, table, violations } from './report.ts';

const options = readOptions();
const SERVER_LATENCY_MAX_MS = 10;
const ONLINE_FOR_MS = 30_000;

/** What is left out, and whether ext4 lets that be seen. */
const CONTROLS: readonly { readonly omit: readonly Omission[]; readonly mustBeCaught: boolean }[] = [
  { omit: ['main', 'backup'], mustBeCaught: true },
  { omit: ['directory', 'backup'], mustBeCaught: true },
  { omit: ['directory', 'main', 'backup'], mustBeCaught: true },
  // On ext4 the sync of the backup's file commits the journal, and with it the rename of the main file before it.
  { omit: ['directory'], mustBeCaught: false },
];

process.setMaxListeners(100); // one for each process and mount that must not outlive this one
const failures: string[] = [];
const skipped: string[] = [];

// An early end must not leave mounts and processes behind: what each of them registered for `exit` runs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const noLoopDisk = await whyNoLoopDisk();
if (options.only !== 'spool') {
  await everyCall();
  await everyKernelCall();
  if (noLoopDisk !== undefined) skip('power cuts, their controls and the disk writes', noLoopDisk);
  else {
    await cuts();
    await controls();
    await writes();
  }
}
if (options.only !== 'boot') {
  if (noLoopDisk !== undefined)
    skip('power cuts while readings wait, their controls, full disks', noLoopDisk);
  else await spool();
}
if (skipped.length > 0) say(`skipped: ${skipped.length}\n${skipped.map((line) => `  ${line}`).join('\n')}`);
say(failures.length === 0 ? 'no violation' : `FAILED: ${failures.join('; ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function everyCall(): Promise<void> {
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const calls = await callsOfAFirstBoot(experiment);
  const instants = Array.from({ length: calls.length + 1 }, (_, index) => index + 1);
  const single = await inLanes(options.lanes, instants, (at) => killAt(experiment, `gw-${at}`, [at]));
  judge(`Killed before every one of ${calls.length} calls of a first boot`, single);
  const random = createRandom(options.seed);
  const pairs = Array.from({ length: options.doubleKills }, (_, index) => ({
    index,
    instants: [random(), random()].map((share) => 1 + Math.floor(share * calls.length)),
  }));
  const double = await inLanes(options.lanes, pairs, ({ index, instants: both }) =>
    killAt(experiment, `gw-twice-${index}`, both),
  );
  judge(`Killed at random in the first boot and again in the second (seed ${options.seed})`, double);
}

async function everyKernelCall(): Promise<void> {
  const whyNot = whyNoStrace();
  if (whyNot !== undefined) return skip('kills at every system call', whyNot);
  await using experiment = await openExperiment(SERVER_LATENCY_MAX_MS);
  const calls = await kernelCallsOfAFirstBoot(experiment);
  const outcomes = await inLanes(options.lanes, [...calls.entries()], ([index, call]) =>
    killAtKernelCall(experiment, `gw-${index}`, call),
  );
  const killed = outcomes.filter(({ hit }) => hit !== 'none');
  const exact = killed.filter(({ hit }) => hit === 'this').length;
  judge(`Killed by strace on entering a system call: ${exact} of ${killed.length} hit exactly`, outcomes);
  // What is not hit exactly is a call like it of another thread; many of them would mean that strace counts otherwise than we think.
  if (killed.length === 0 || exact < killed.length * 0.9)
    failures.push('too few system calls were hit exactly');
}

async function cuts(): Promise<void> {
  const { cuts: count, lanes, seed } = options;
  const outcomes = await powerCuts({ cuts: count, lanes, seed, omit: [] });
  judge(`${count} power cuts on ext4 at random instants of a first boot (seed ${seed})`, outcomes);
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
    say(
      `${table(title, outcomes)}\n  caught in ${caught} of ${controlCuts} cuts, the gateway stranded in ${stranded.length}`,
    );
    if (mustBeCaught && caught === 0) failures.push(`${title}: not caught`);
  }
}

async function writes(): Promise<void> {
  const { bootBytes, bootWrites, onlineForMs, onlineReadings, onlineBytes } = await diskWrites(ONLINE_FOR_MS);
  say(
    `Device writes (ext4 as mounted by default)\n  a first boot: ${bootBytes} bytes in ${bootWrites} writes\n  ${onlineForMs / 1000} s online, ${onlineReadings} readings accepted: ${onlineBytes} bytes`,
  );
  if (onlineBytes > 0) failures.push('an agent that is online writes to the disk');
  if (onlineReadings === 0) failures.push('the agent was not online while its disk was watched');
}

async function spool(): Promise<void> {
  for (const experiment of [spoolUnderPowerCuts, spoolWithoutSyncs, spoolOnFullDisks]) {
    const verdict = await experiment(options);
    say(verdict.text);
    failures.push(...verdict.failures);
  }
}

function judge(title: string, outcomes: readonly Outcome[]): void {
  const bad = violations(outcomes);
  say(table(title, outcomes));
  if (bad.length === 0) return;
  say(listing(bad));
  failures.push(`${bad.length} violations in: ${title}`);
}

function skip(what: string, why: string): void {
  skipped.push(`${what}: ${why}`);
}

function say(text: string): void {
  console.log(`${text}\n`);
}
