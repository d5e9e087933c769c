/**
 * The composition root of the daemon: wires what lives as long as the process, in the order in which it is needed. What
 * depends on the configuration is wired in agent-instance.ts and is replaced when the configuration changes.
 *
 *   daemon ─▶ lock, sensors, facts ─▶ outbox, timestamper ─▶ background tasks
 *                                      ▲ changed [outbox]      └▶ agent instance ⟲ any other change
 *                                      └── or [clock] ───────────────────┘
 */

import { runBackgroundTasks } from '../agent/agent.ts';
import { isSettledWithin, raceAbort } from '../core/async/abort.ts';
import { runUntilFirst, type Task } from '../core/async/tasks.ts';
import { CommandDispatcher } from '../core/downlink/command-dispatcher.ts';
import { logEvent } from '../core/events/catalogue.ts';
import { LossReport } from '../core/model/loss-report.ts';
import type { OffsetMemory } from '../core/ports/clock.ts';
import { DeliveryCounters } from '../core/status/counters.ts';
import { Timestamper } from '../core/timestamps/timestamper.ts';
import { AlreadyRunningError, acquireLock, type Lock } from '../credentials/lock.ts';
import { StoreError } from '../credentials/store-error.ts';
import type { HostClock } from '../host/clock/clock.ts';
import { hostTimeSync } from '../host/clock/time-sync.ts';
import { createFacts } from '../host/hardware/facts.ts';
import { hostNetwork } from '../host/network.ts';
import { hostRandom } from '../host/random.ts';
import { countRestarts } from '../host/systemd/start-count.ts';
import { startedCommandStore } from '../host/systemd/started-commands.ts';
import { warnIfVolatile } from '../host/volatile-storage.ts';
import type { TieredOutbox } from '../outbox/outbox.ts';
import type { AgentControls } from '../remote-commands/built-in-commands.ts';
import { runAgentInstance, type SharedServices } from './agent-instance.ts';
import type { ConfigReloader } from './config-reloader.ts';
import { EX_TEMPFAIL } from './exit-codes.ts';
import { type OutboxRemainder, openOutbox } from './outbox.ts';
import { PlaintextWarnings } from './plaintext-warnings.ts';
import { SensorSet } from './sensors.ts';
import { awaitShutdown } from './shutdown.ts';
import { StartupError } from './startup-error.ts';
import { RELEASED_MS, VERSION } from './version.ts';

/** How long an outbox that is to be replaced may write before the agent goes on with it, ms. */
const REPLACEMENT_MS_MAX = 1_000;

interface ProcessServices extends Omit<SharedServices, 'timestamper' | 'outbox'> {
  readonly memory: OffsetMemory | undefined;
  readonly remainder: OutboxRemainder;
}

export interface DaemonContext
  extends Pick<ProcessServices, 'state' | 'log' | 'service' | 'memory' | 'statusOutput' | 'remote'> {
  readonly clock: HostClock;
  /** For files that are valid in this boot only; undefined if the host has no runtime directory. */
  readonly runtime: string | undefined;
  /** The rest of what commands may do; the event history is of `statusOutput`. */
  readonly controls: AgentControls;
}

/** Runs until the signal aborts. Rejects with a StartupError if another agent holds the state directory. */
export async function runDaemon(
  config: ConfigReloader,
  context: DaemonContext,
  signal: AbortSignal,
): Promise<void> {
  const { state, runtime, clock, log } = context;
  await using _lock = await acquireStateLock(state);
  warnIfVolatile(state, config.current.config, log);
  const mainPath = process.argv[1] ?? '';
  const facts = createFacts({ nodePath: process.execPath, mainPath, agentVersion: VERSION, clock, log });
  const counters = new DeliveryCounters();
  const restarts = runtime ? countRestarts({ directory: runtime, bootId: clock.bootId }) : undefined;
  const sensorSet = new SensorSet({ clock, log, counters, restarts, drainTimerLagMs: clock.drainTimerLagMs });
  const plaintextWarnings = new PlaintextWarnings({ clock, log });
  const random = hostRandom();
  const store = runtime ? startedCommandStore({ directory: runtime, bootId: clock.bootId, log }) : undefined;
  const commands = new CommandDispatcher({ clock, random, log, store, processStop: signal });
  const network = hostNetwork({ clock });
  const remainder = { losses: new LossReport(), readings: [] };
  const unchanged = { random, network, facts, sensorSet, counters, plaintextWarnings, commands, remainder };
  const services = { ...context, ...unchanged };
  const runAgent = async (stop: AbortSignal): Promise<void> => {
    while (!stop.aborted) await runWithOutbox(config, services, stop);
  };
  await runUntilFirst([(stop) => context.remote.run(stop), runAgent], signal);
}

/** Two agents on one state directory would provision one device twice. */
async function acquireStateLock(state: string): Promise<Lock> {
  try {
    return await acquireLock(state);
  } catch (error) {
    if (!(error instanceof AlreadyRunningError || error instanceof StoreError)) throw error;
    const event = error instanceof AlreadyRunningError ? 'FL-STATE-LOCKED' : 'FL-STATE-UNUSABLE';
    throw new StartupError(event, error.message, EX_TEMPFAIL, { cause: error });
  }
}

/**
 * Runs until the signal aborts, or until the configuration needs another outbox, because the limits and timestamps of a memory
 * queue follow the old configuration. The old outbox then writes its readings to disk and the next one reads them there, or gets
 * them as `remainder` if the disk fails. While the disk hangs, the old outbox stays in use: sampling must not wait for a disk.
 */
async function runWithOutbox(
  config: ConfigReloader,
  services: ProcessServices,
  signal: AbortSignal,
): Promise<void> {
  const { current: initial } = config;
  const { state, clock, log, memory, remainder } = services;
  const timeSync = hostTimeSync({ root: '/', clock, log });
  const timestamper = new Timestamper(
    { clock, log, timeSync, memory },
    { ...initial.config.clock, releasedMs: RELEASED_MS },
  );
  const context = { state, clock, timestamper, log, signal, remainder };
  await using openedOutbox = await openOutbox(initial.config, context);
  const { outbox, spoolBytes } = openedOutbox;
  const storedOffsets = memory?.load() ?? openedOutbox.storedOffsets;
  if (storedOffsets) timestamper.restore(storedOffsets);
  services.sensorSet.attach({ outbox, spoolBytes, timestamper });
  const sharedServices: SharedServices = { ...services, timestamper, outbox };
  const runInstances = async (stop: AbortSignal): Promise<void> => {
    let change: OutboxChange | undefined;
    while (!stop.aborted) {
      if (config.canKeepOutbox(initial)) change = undefined;
      else if (change === undefined) {
        change = new OutboxChange(outbox);
        if (await raceAbort(isSettledWithin(REPLACEMENT_MS_MAX, change.written, clock), true, stop)) return;
        logEvent(log, 'FL-CONFIG-CHANGE-DELAYED');
      } else if (change.isWritten) return;
      await runInstance(config, sharedServices, stop, change?.written);
    }
  };
  const agent = runUntilFirst(
    [(stop) => runBackgroundTasks({ timestamper, outbox }, stop), runInstances],
    signal,
  );
  await awaitShutdown(agent, { clock, log }, signal);
  // Only a stop, or an error, gives the disk a deadline: the next outbox would wait for the same disk.
  if (!signal.aborted) await raceAbort(outbox.close(), undefined, signal);
}

/** A change of settings that waits until the old outbox has done all its writes. */
class OutboxChange {
  readonly written: Promise<void>;
  isWritten = false;

  constructor(outbox: TieredOutbox) {
    this.written = outbox.flushWhenIdle().then(() => {
      this.isWritten = true;
    });
  }
}

/**
 * Runs until the configuration changes or `end` settles. A new configuration that cannot work on this host is
 * reverted.
 */
async function runInstance(
  config: ConfigReloader,
  sharedServices: SharedServices,
  signal: AbortSignal,
  end?: Promise<void>,
): Promise<void> {
  const { current: initial } = config;
  const tasks: Task[] = [
    (stop) => config.waitForChange(stop),
    (stop) => runAgentInstance(initial, sharedServices, stop),
  ];
  if (end !== undefined) tasks.push((stop) => raceAbort(end, undefined, stop));
  try {
    await runUntilFirst(tasks, signal);
  } catch (error) {
    if (!(error instanceof StartupError) || !config.revert(error)) throw error;
  }
}
