/**
 * `firstlight run`: the composition root. What lives as long as the process is wired here, in order; what hangs on the
 * configuration, and begins anew when that is read again, in stint.ts.
 *
 *   run ─▶ lock, sensors, facts ─▶ outbox and dates ─▶ caretakers
 *                                   ▲ other [outbox]    └▶ stint ⟲ another configuration
 *                                   └── or [clock] ──────────┘
 *
 * Exit codes: 0 after a signal, 78 (EX_CONFIG) when the configuration cannot work, 75 (EX_TEMPFAIL) when the
 * state directory cannot be had, 72 (EX_OSFILE) when a part of the program cannot be loaded, 1 for a bug, told with its stack.
 * What the network or the server does never ends the agent.
 */

import { runBackgroundTasks } from '../agent/agent.ts';
import { ConfigError } from '../config/errors/problem.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { runUntilFirst } from '../core/async/tasks.ts';
import { EVENTS, type EventId, logEvent } from '../core/events/catalogue.ts';
import type { OffsetMemory } from '../core/ports/clock.ts';
import { DeliveryCounters } from '../core/status/counters.ts';
import { Timestamper } from '../core/timestamps/timestamper.ts';
import { AlreadyRunningError, acquireLock, type Lock } from '../credentials/lock.ts';
import { StoreError } from '../credentials/store-error.ts';
import { type HostClock, hostClock } from '../host/clock/clock.ts';
import { createOffsetMemory } from '../host/clock/offset-memory.ts';
import { hostTimeSync } from '../host/clock/time-sync.ts';
import { createFacts } from '../host/hardware/facts.ts';
import { openLogger } from '../host/log/logger.ts';
import { hostRandom } from '../host/random.ts';
import { hostServiceManager } from '../host/systemd/notify.ts';
import { countRestarts } from '../host/systemd/start-count.ts';
import { runAgentInstance, type SharedServices } from './agent-instance.ts';
import { ConfigReloader } from './config-reloader.ts';
import { corruptFileOf } from './corrupt-install.ts';
import { EX_CONFIG, EX_FAILED, EX_OK, EX_OSFILE, EX_TEMPFAIL } from './exit-codes.ts';
import { openOutbox } from './outbox.ts';
import { readConfig, stateDirectory } from './paths.ts';
import { PlaintextWarnings } from './plaintext-warnings.ts';
import { SensorSet } from './sensors.ts';
import { awaitShutdown } from './shutdown.ts';
import { StartupError } from './startup-error.ts';
import { StatusOutput } from './status.ts';
import { VERSION } from './version.ts';

export interface RunOptions {
  readonly config?: string;
  readonly state?: string;
}

export interface RunHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: NodeJS.WritableStream;
  /** Notified when the configuration is to be read again. */
  readonly reload: AsyncSignal;
}

/** Runs until the signal aborts; resolves with the exit code. */
export async function runCommand(options: RunOptions, host: RunHost, signal: AbortSignal): Promise<number> {
  const { environment, out } = host;
  const clock = hostClock();
  const status = new StatusOutput(environment, clock);
  try {
    return await runWith(options, host, { clock, status }, signal);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartupError)) throw error;
    const isLockRefused = error instanceof StartupError;
    const event: EventId = isLockRefused ? error.event : 'FL-CONFIG-INVALID';
    const exitCode = isLockRefused ? error.exitCode : EX_CONFIG;
    const sentences = error.message.split('\n');
    // <3> is the priority "error" for the journal (sd-daemon(3)).
    const priority = isJournalled(environment) ? '<3>' : '';
    for (const sentence of sentences) out.write(`${priority}${sentence} event=${event}\n`);
    await status.writeFailed(exitCode, event, sentences);
    return exitCode;
  }
}

async function runWith(
  options: RunOptions,
  { environment, reload }: RunHost,
  { clock, status }: { readonly clock: HostClock; readonly status: StatusOutput },
  signal: AbortSignal,
): Promise<number> {
  const load = () => readConfig(options, environment);
  const loaded = load();
  const journal = isJournalled(environment);
  const log = openLogger({ ...loaded.config.log, isJournald: journal, clock, listener: status.eventHistory });
  try {
    for (const warning of loaded.warnings) logEvent(log, 'FL-CONFIG-WARNING', {}, warning);
    const state = stateDirectory(options, environment);
    await using service = hostServiceManager({ environment, clock, log });
    if (service) signal.addEventListener('abort', () => service.stopping(), { once: true });
    const runtime = environment['RUNTIME_DIRECTORY'];
    const memory = runtime
      ? createOffsetMemory({ directory: runtime, bootId: clock.bootId, log })
      : undefined;
    const config = new ConfigReloader(loaded, { load, reload, log, service });
    const baseServices = { state, runtime, clock, log, service, memory, statusOutput: status.open(log) };
    await runDaemon(config, baseServices, signal);
    await status.writeStopped();
    return EX_OK;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    const corruptFile = corruptFileOf(error);
    const event = corruptFile === undefined ? 'FL-INTERNAL-ERROR' : 'FL-INSTALLATION-CORRUPT';
    const exitCode = corruptFile === undefined ? EX_FAILED : EX_OSFILE;
    logEvent(log, event, corruptFile === undefined ? { error: stackOf(error) } : { detail: corruptFile });
    await status.writeFailed(exitCode, event, [EVENTS[event].sentence]);
    return exitCode;
  } finally {
    await log.close();
  }
}

function isJournalled(environment: NodeJS.ProcessEnv): boolean {
  return environment['JOURNAL_STREAM'] !== undefined;
}

interface ProcessServices extends Omit<SharedServices, 'timestamper' | 'outbox'> {
  readonly memory: OffsetMemory | undefined;
  /** Where what is of this boot only is kept; undefined where there is no such place. */
  readonly runtime: string | undefined;
}

/** From here on the agent lives until the signal: the wiring, in the order in which things are needed. */
async function runDaemon(
  config: ConfigReloader,
  baseServices: Pick<ProcessServices, 'state' | 'runtime' | 'log' | 'service' | 'memory' | 'statusOutput'> & {
    readonly clock: HostClock;
  },
  signal: AbortSignal,
): Promise<void> {
  const { state, runtime, clock, log } = baseServices;
  await using _lock = await acquireStateLock(state);
  const mainPath = process.argv[1] ?? '';
  const facts = createFacts({ nodePath: process.execPath, mainPath, agentVersion: VERSION, clock, log });
  const counters = new DeliveryCounters();
  const restarts = runtime ? countRestarts({ directory: runtime, bootId: clock.bootId }) : undefined;
  const sensorSet = new SensorSet({ clock, log, counters, restarts, drainTimerLagMs: clock.drainTimerLagMs });
  const plaintextWarnings = new PlaintextWarnings({ clock, log });
  const services = {
    ...baseServices,
    random: hostRandom(),
    facts,
    sensorSet: sensorSet,
    counters: counters,
    plaintextWarnings: plaintextWarnings,
  };
  while (!signal.aborted) await runWithOutbox(config, services, signal);
}

/**
 * Until the signal, or until the configuration wants another outbox: then what waits goes to the disk, and the next outbox
 * finds it there. It is not kept in memory, because its bounds and its dates are what has changed.
 */
async function runWithOutbox(
  config: ConfigReloader,
  services: ProcessServices,
  signal: AbortSignal,
): Promise<void> {
  const { current: initial } = config;
  const { state, clock, log, memory } = services;
  const timeSync = hostTimeSync({ root: '/', clock, log });
  const timestamper = new Timestamper({ clock, log, timeSync, memory }, initial.config.clock);
  await using openedOutbox = await openOutbox(initial.config, { state, clock, timestamper, log, signal });
  const { outbox, spoolBytes } = openedOutbox;
  const storedOffsets = memory?.load() ?? openedOutbox.storedOffsets;
  if (storedOffsets) timestamper.restore(storedOffsets);
  services.sensorSet.attach({ outbox, spoolBytes, timestamper });
  const sharedServices: SharedServices = { ...services, timestamper, outbox };
  const runInstances = async (stop: AbortSignal): Promise<void> => {
    while (!stop.aborted && config.canKeepOutbox(initial)) await runInstance(config, sharedServices, stop);
  };
  const running = runUntilFirst(
    [(stop) => runBackgroundTasks({ timestamper, outbox }, stop), runInstances],
    signal,
  );
  await awaitShutdown(running, { clock, log }, signal);
}

/** With the configuration of now, until there is another. One that cannot work gives way to the one before. */
async function runInstance(
  config: ConfigReloader,
  sharedServices: SharedServices,
  signal: AbortSignal,
): Promise<void> {
  const { current: initial } = config;
  try {
    await runUntilFirst(
      [(stop) => config.waitForChange(stop), (stop) => runAgentInstance(initial, sharedServices, stop)],
      signal,
    );
  } catch (error) {
    if (!(error instanceof StartupError) || !config.revert(error)) throw error;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Two agents on one state directory would provision one device twice; a directory that cannot even be locked
 * is no state.
 */
export async function acquireStateLock(state: string): Promise<Lock> {
  try {
    return await acquireLock(state);
  } catch (error) {
    if (!(error instanceof AlreadyRunningError || error instanceof StoreError)) throw error;
    const event = error instanceof AlreadyRunningError ? 'FL-STATE-LOCKED' : 'FL-STATE-UNUSABLE';
    throw new StartupError(event, error.message, EX_TEMPFAIL, { cause: error });
  }
}
