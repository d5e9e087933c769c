/**
 * Drives root's part of an update: stages the file of the agent, then runs the machine of core/update/installation.ts to its
 * end, also one that a power cut interrupted. Everything it believes it has verified on its own copy.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { HealthGate } from '../../core/update/health-gate.ts';
import {
  begin,
  firstState,
  type InstallationEvent,
  type InstallationState,
  next,
  type UpdateResult,
} from '../../core/update/installation.ts';
import type { AgentService, Dpkg, InstallationDisk } from './ports.ts';
import { loadState, writeResult } from './run-files.ts';
import { type StagingPorts, stage } from './stage.ts';

export interface InstallationPorts extends StagingPorts {
  readonly disk: InstallationDisk;
  readonly dpkg: Dpkg;
  readonly service: AgentService;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** A sentence for the log. */
  readonly report: (level: 'info' | 'error', sentence: string) => void;
  /** The whole health gate, ms; default: ten minutes. */
  readonly gateMs?: number;
}

const GATE_MS = 10 * 60_000;
const GATE_POLL_MS = 2_000;
/** Longer than the watchdog, so that a loop that hangs from the start is noticed. */
const STEADY_BEYOND_WATCHDOG_MS = 20_000;
const LOCKED_RETRY_MS = 10_000;
const LOCKED_ATTEMPTS_MAX = 60;

/**
 * Resolves with the result; undefined if the signal aborted, then the next call continues. Rejects only if the disk of root
 * does.
 */
export async function runInstallation(
  ports: InstallationPorts,
  signal: AbortSignal,
): Promise<UpdateResult | undefined> {
  const { disk, files, report } = ports;
  let state = loadState(disk, files);
  if (state) report('info', `continuing the update to version ${state.run.version} at "${state.at}"`);
  else {
    const staged = await stage(ports);
    if (!staged.ok) {
      report('error', `the update was refused: ${staged.result.problem}`);
      return staged.result;
    }
    state = firstState(staged.run);
    report('info', `installing version ${staged.run.version} over ${staged.run.previous}`);
  }
  for (;;) {
    state = begin(state);
    disk.replaceText(files.state, JSON.stringify(state), 0o600);
    if (state.at === 'finish') return finish(state, ports);
    const event = await act(state, ports, signal);
    if (signal.aborted) return undefined;
    if (event.type === 'failed') report('error', event.problem);
    state = next(state, event);
  }
}

async function act(
  state: InstallationState,
  ports: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  const { files } = ports;
  switch (state.at) {
    case 'install':
      return installPackage(files.newPackage, ports, signal);
    case 'gate':
      return watchHealth(state, ports, signal);
    case 'return':
      return installPackage(files.oldPackage, ports, signal);
    case 'finish':
      return { type: 'done' };
  }
}

async function installPackage(
  deb: string,
  { dpkg, service, clock }: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  let problem = '';
  for (let attempt = 1; attempt <= LOCKED_ATTEMPTS_MAX && !signal.aborted; attempt += 1) {
    const result = await dpkg.install(deb);
    if (result.ok) {
      await service.restart();
      return { type: 'done' };
    }
    ({ problem } = result);
    if (!result.isLocked) break;
    await clock.sleep(LOCKED_RETRY_MS, signal);
  }
  return { type: 'failed', problem };
}

async function watchHealth(
  { run }: InstallationState,
  { service, clock, gateMs = GATE_MS, report }: InstallationPorts,
  signal: AbortSignal,
): Promise<InstallationEvent> {
  const steadyMs = (await service.watchdogMs()) + STEADY_BEYOND_WATCHDOG_MS;
  const limits = { withinMs: gateMs, steadyMs };
  const gate = new HealthGate(run.version, run.before, limits, clock.monotonicMs());
  report('info', `version ${run.version} is installed; its health is watched for up to ${gateMs / 1000} s`);
  while (!signal.aborted) {
    const verdict = gate.observe(await service.observe(), clock.monotonicMs());
    if (verdict.is === 'healthy') return { type: 'done' };
    if (verdict.is === 'unhealthy') return { type: 'failed', problem: verdict.reason };
    await clock.sleep(GATE_POLL_MS, signal);
  }
  return { type: 'failed', problem: 'stopped' };
}

/** Can be interrupted and repeated anywhere: the state goes last. */
function finish(
  { result, isReturnPending }: InstallationState & { readonly at: 'finish' },
  { disk, files, report }: InstallationPorts,
): UpdateResult {
  writeResult(disk, files, result);
  // The package of the installed version is the way back of the next update.
  const installed = result.outcome === 'updated' ? files.newPackage : files.oldPackage;
  if (!isReturnPending && disk.size(installed) !== undefined) disk.rename(installed, files.keptPackage);
  if (!isReturnPending) disk.remove(files.oldPackage);
  for (const file of [files.newPackage, files.update, files.incoming]) disk.remove(file);
  disk.remove(files.state);
  const { outcome, version, previous, problem } = result;
  if (outcome === 'updated') report('info', `updated from version ${previous} to ${version}`);
  else report('error', `version ${version} was removed again, ${previous} is installed: ${problem}`);
  return result;
}
