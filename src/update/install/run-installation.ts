/**
 * Drives root's part of an update: stages the file of the agent, then runs the machine of core/update/installation.ts to its
 * end, also one that a power cut interrupted. Everything it believes it has verified on its own copy.
 */

import { HealthGate } from '../../core/update/health-gate.ts';
import {
  begin,
  firstState,
  type InstallationEvent,
  type InstallationState,
  next,
  postponedResult,
  type Run,
  type UpdateResult,
} from '../../core/update/installation.ts';
import { loadState, rememberFailed, writeResult } from './run-files.ts';
import { type StagingPorts, stage } from './stage.ts';

export interface InstallationPorts extends StagingPorts {
  /** A sentence for the log. */
  readonly report: (level: 'info' | 'error', sentence: string) => void;
  /** The whole health gate, ms; default: ten minutes. Longer if the watchdog is slower. */
  readonly gateMs?: number;
}

export type RunEnd =
  | { readonly is: 'finished'; readonly result: UpdateResult }
  | { readonly is: 'refused'; readonly result: UpdateResult; readonly isOfOperator: boolean }
  /** There was nothing to do. */
  | { readonly is: 'nothing' }
  /** The signal aborted; the next call continues. */
  | { readonly is: 'stopped' }
  /** The way back did not succeed in this boot; a call in the next one continues. */
  | { readonly is: 'postponed' };

const GATE_MS = 10 * 60_000;
const GATE_POLL_MS = 2_000;
/** Longer than the watchdog, so that a loop that hangs from the start is noticed. */
const STEADY_BEYOND_WATCHDOG_MS = 20_000;
/** A hang that a slower watchdog notices is not waited for. */
const WATCHDOG_MAX_MS = 15 * 60_000;
const LOCKED_RETRY_MS = 10_000;
const LOCKED_ATTEMPTS_MAX = 60;
/** Of the way back in one boot: four hours and a half, the waits double up to ten minutes. */
const RETURN_ATTEMPTS_MAX = 32;
const RETURN_WAIT_MAX_MS = 10 * 60_000;

/** Rejects only if the disk of root does. */
export async function runInstallation(ports: InstallationPorts, signal: AbortSignal): Promise<RunEnd> {
  const { disk, files, report, service } = ports;
  let state = loadState(disk, files);
  if (state === 'damaged') return discardDamaged(ports);
  if (state) report('info', `continuing the update to version ${state.run.version} at "${state.at}"`);
  else {
    const staged = await stage(ports);
    if (staged.is === 'refused') report('error', `the update was refused: ${staged.result.problem}`);
    if (staged.is !== 'staged') return staged;
    state = firstState(staged.run);
    report('info', `installing version ${staged.run.version} over ${staged.run.previous}`);
  }
  for (;;) {
    state = begin(state);
    disk.replaceText(files.state, JSON.stringify(state), 0o600);
    if (state.at === 'finish') return { is: 'finished', result: finish(state, ports) };
    const event = await act(state, ports, signal);
    if (signal.aborted) return { is: 'stopped' };
    if (event.type === 'failed') report('error', event.problem);
    if (event.type === 'failed' && state.at === 'return') {
      writeResult(disk, files, postponedResult(state, event.problem));
      await service.stopPath();
      return { is: 'postponed' };
    }
    state = next(state, event);
  }
}

/** Without its record the update cannot go on: dpkg completes what it has begun, and the operator is asked to look. */
async function discardDamaged({ disk, files, dpkg, service, report }: InstallationPorts): Promise<RunEnd> {
  const problem = `${files.state} was damaged, so that an update ended without its health gate: check dpkg --audit, the disk, and that firstlight runs`;
  report('error', problem);
  await dpkg.configure();
  await service.restart();
  const result: UpdateResult = { outcome: 'failed', problem };
  writeResult(disk, files, result);
  for (const file of [files.newPackage, files.state]) disk.remove(file);
  return { is: 'finished', result };
}

async function act(
  state: InstallationState,
  ports: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  switch (state.at) {
    case 'install':
      return installNew(state.run, ports, signal);
    case 'gate':
      return watchHealth(state.run, ports, signal);
    case 'return':
      return comeBack(state.run, ports, signal);
    case 'finish':
      return { type: 'done' };
  }
}

/** A third version that is installed completely. */
async function replacement(
  { version, previous }: Run,
  { dpkg }: InstallationPorts,
): Promise<InstallationEvent | undefined> {
  const installed = await dpkg.installedVersion();
  return installed === undefined || installed === version || installed === previous
    ? undefined
    : { type: 'replaced', version: installed };
}

async function installNew(
  run: Run,
  ports: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  const { dpkg, service, clock, files } = ports;
  let problem = '';
  for (let attempt = 1; attempt <= LOCKED_ATTEMPTS_MAX && !signal.aborted; attempt += 1) {
    const replaced = await replacement(run, ports);
    if (replaced) return replaced;
    const result = await dpkg.install(files.newPackage);
    if (result.ok) {
      await service.restart();
      return { type: 'done' };
    }
    ({ problem } = result);
    if (!result.isLocked) return { type: 'failed', problem };
    await clock.sleep(LOCKED_RETRY_MS, signal);
  }
  return { type: 'failed', problem, isUntouched: true };
}

/** Tries until the old version is installed, in this boot at most RETURN_ATTEMPTS_MAX times. */
async function comeBack(run: Run, ports: InstallationPorts, signal: AbortSignal): Promise<InstallationEvent> {
  const { dpkg, service, clock, files, report } = ports;
  let problem = '';
  for (let attempt = 0; attempt < RETURN_ATTEMPTS_MAX && !signal.aborted; attempt += 1) {
    // dpkg may have been interrupted anywhere, also for other packages.
    await dpkg.configure();
    const replaced = await replacement(run, ports);
    if (replaced) return replaced;
    const result = await dpkg.install(files.oldPackage);
    if (result.ok) {
      await service.restart();
      return { type: 'done' };
    }
    if (result.problem !== problem)
      report(
        'error',
        `version ${run.previous} is not installed again yet, and is tried again: ${result.problem}`,
      );
    ({ problem } = result);
    await clock.sleep(Math.min(LOCKED_RETRY_MS * 2 ** attempt, RETURN_WAIT_MAX_MS), signal);
  }
  return { type: 'failed', problem };
}

async function watchHealth(
  run: Run,
  ports: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  const { service, clock, gateMs = GATE_MS, report } = ports;
  const steadyMs = Math.min(await service.watchdogMs(), WATCHDOG_MAX_MS) + STEADY_BEYOND_WATCHDOG_MS;
  const withinMs = Math.max(gateMs, 2 * steadyMs);
  const gate = new HealthGate(run.version, run.before, { withinMs, steadyMs }, clock.monotonicMs());
  report('info', `version ${run.version} is installed; its health is watched for up to ${withinMs / 1000} s`);
  while (!signal.aborted) {
    const verdict = gate.observe(await service.observe(), clock.monotonicMs());
    if (verdict.is !== 'waiting') {
      const replaced = await replacement(run, ports);
      if (replaced) return replaced;
    }
    if (verdict.is === 'healthy') return { type: 'done' };
    if (verdict.is === 'unhealthy') return { type: 'failed', problem: verdict.reason };
    await clock.sleep(GATE_POLL_MS, signal);
  }
  return { type: 'failed', problem: 'stopped' };
}

/** Can be interrupted and repeated anywhere: the state goes last. */
function finish(
  { run, result }: InstallationState & { readonly at: 'finish' },
  { disk, files, report }: InstallationPorts,
): UpdateResult {
  const { outcome, version, previous, problem } = result;
  // Before the result, at which the agent may request the update again.
  if (outcome === 'failed') rememberFailed(disk, files, run.digest, problem ?? outcome);
  if (outcome === 'updated') rememberFailed(disk, files, run.digest, undefined);
  writeResult(disk, files, result);
  // The package of the installed version is the way back of the next update.
  if (outcome !== 'replaced') {
    const installed = outcome === 'updated' ? files.newPackage : files.oldPackage;
    if (disk.size(installed) !== undefined) disk.rename(installed, files.keptPackage);
  }
  // A file that the operator has added meanwhile stays.
  const incoming = run.request === undefined ? [files.incoming] : [];
  for (const file of [files.oldPackage, files.newPackage, ...incoming]) disk.remove(file);
  disk.remove(files.state);
  if (outcome === 'updated') report('info', `updated from version ${previous} to ${version}`);
  else if (outcome === 'failed')
    report('error', `version ${version} was removed again, ${previous} is installed: ${problem}`);
  else report('error', `version ${version} is not installed: ${problem}`);
  return result;
}
