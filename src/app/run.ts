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

import { runCaretakers } from '../agent/agent.ts';
import { ConfigError } from '../config/errors/problem.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { untilOneEnds } from '../core/async/tasks.ts';
import { EVENTS, type EventId, tell } from '../core/events/catalogue.ts';
import type { OffsetMemory } from '../core/ports/clock.ts';
import { Tally } from '../core/status/counters.ts';
import { Dating } from '../core/timestamps/timestamper.ts';
import { AlreadyRunning, acquireLock, type Lock } from '../credentials/lock.ts';
import { StoreError } from '../credentials/store-error.ts';
import { type HostClock, hostClock } from '../host/clock/clock.ts';
import { offsetMemory } from '../host/clock/offset-memory.ts';
import { hostTimeSync } from '../host/clock/time-sync.ts';
import { createFacts } from '../host/hardware/facts.ts';
import { openJournal } from '../host/log/logger.ts';
import { hostChance } from '../host/random.ts';
import { hostServiceManager } from '../host/systemd/notify.ts';
import { restartsOfThisBoot } from '../host/systemd/start-count.ts';
import { type Lasting, stint } from './agent-instance.ts';
import { CurrentConfig } from './config-reloader.ts';
import { brokenProgram } from './corrupt-install.ts';
import { EX_CONFIG, EX_FAILED, EX_OK, EX_OSFILE, EX_TEMPFAIL } from './exit-codes.ts';
import { openOutbox } from './outbox.ts';
import { readConfig, stateDirectory } from './paths.ts';
import { ClearRoads } from './plaintext-warnings.ts';
import { SensorSuite } from './sensors.ts';
import { notLongAfter } from './shutdown.ts';
import { CannotStart } from './startup-error.ts';
import { RunStatus } from './status.ts';
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
  const status = new RunStatus(environment, clock);
  try {
    return await runWith(options, host, { clock, status }, signal);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof CannotStart)) throw error;
    const isRefused = error instanceof CannotStart;
    const event: EventId = isRefused ? error.event : 'FL-CONFIG-INVALID';
    const exitCode = isRefused ? error.exitCode : EX_CONFIG;
    const sentences = error.message.split('\n');
    // <3> is the priority "error" for the journal (sd-daemon(3)).
    const priority = isJournalled(environment) ? '<3>' : '';
    for (const sentence of sentences) out.write(`${priority}${sentence} event=${event}\n`);
    await status.failed(exitCode, event, sentences);
    return exitCode;
  }
}

async function runWith(
  options: RunOptions,
  { environment, reload }: RunHost,
  { clock, status }: { readonly clock: HostClock; readonly status: RunStatus },
  signal: AbortSignal,
): Promise<number> {
  const load = () => readConfig(options, environment);
  const loaded = load();
  const journal = isJournalled(environment);
  const log = openJournal({ ...loaded.config.log, journal, clock, witness: status.chronicle });
  try {
    for (const warning of loaded.warnings) tell(log, 'FL-CONFIG-WARNING', {}, warning);
    const state = stateDirectory(options, environment);
    await using service = hostServiceManager({ environment, clock, log });
    if (service) signal.addEventListener('abort', () => service.stopping(), { once: true });
    const runtime = environment['RUNTIME_DIRECTORY'];
    const memory = runtime ? offsetMemory({ directory: runtime, bootId: clock.bootId, log }) : undefined;
    const config = new CurrentConfig(loaded, { load, reload, log, service });
    const base = { state, runtime, clock, log, service, memory, board: status.board(log) };
    await live(config, base, signal);
    await status.stopped();
    return EX_OK;
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    const broken = brokenProgram(error);
    const event = broken === undefined ? 'FL-BUG' : 'FL-PROGRAM-BROKEN';
    const exitCode = broken === undefined ? EX_FAILED : EX_OSFILE;
    tell(log, event, broken === undefined ? { error: stackOf(error) } : { seen: broken });
    await status.failed(exitCode, event, [EVENTS[event].sentence]);
    return exitCode;
  } finally {
    await log.close();
  }
}

function isJournalled(environment: NodeJS.ProcessEnv): boolean {
  return environment['JOURNAL_STREAM'] !== undefined;
}

interface House extends Omit<Lasting, 'dating' | 'outbox'> {
  readonly memory: OffsetMemory | undefined;
  /** Where what is of this boot only is kept; undefined where there is no such place. */
  readonly runtime: string | undefined;
}

/** From here on the agent lives until the signal: the wiring, in the order in which things are needed. */
async function live(
  config: CurrentConfig,
  base: Pick<House, 'state' | 'runtime' | 'log' | 'service' | 'memory' | 'board'> & {
    readonly clock: HostClock;
  },
  signal: AbortSignal,
): Promise<void> {
  const { state, runtime, clock, log } = base;
  await using _lock = await lockState(state);
  const mainPath = process.argv[1] ?? '';
  const facts = createFacts({ nodePath: process.execPath, mainPath, agentVersion: VERSION, clock, log });
  const tally = new Tally();
  const restarts = runtime ? restartsOfThisBoot({ directory: runtime, bootId: clock.bootId }) : undefined;
  const suite = new SensorSuite({ clock, log, tally, restarts, takeLatenessMs: clock.takeLatenessMs });
  const clearRoads = new ClearRoads({ clock, log });
  const house = { ...base, chance: hostChance(), facts, suite, tally, clearRoads };
  while (!signal.aborted) await withOutbox(config, house, signal);
}

/**
 * Until the signal, or until the configuration wants another outbox: then what waits goes to the disk, and the next outbox
 * finds it there. It is not kept in memory, because its bounds and its dates are what has changed.
 */
async function withOutbox(config: CurrentConfig, house: House, signal: AbortSignal): Promise<void> {
  const { now } = config;
  const { state, clock, log, memory } = house;
  const timeSync = hostTimeSync({ root: '/', clock, log });
  const dating = new Dating({ clock, log, timeSync, memory }, now.config.clock);
  await using opened = await openOutbox(now.config, { state, clock, dating, log, signal });
  const { outbox, spoolBytes } = opened;
  const known = memory?.recall() ?? opened.knownOffsets;
  if (known) dating.resume(known);
  house.suite.know({ outbox, spoolBytes, dating });
  const lasting: Lasting = { ...house, dating, outbox };
  const stints = async (stop: AbortSignal): Promise<void> => {
    while (!stop.aborted && config.keepsOutboxOf(now)) await onStint(config, lasting, stop);
  };
  const running = untilOneEnds([(stop) => runCaretakers({ dating, outbox }, stop), stints], signal);
  await notLongAfter(running, { clock, log }, signal);
}

/** With the configuration of now, until there is another. One that cannot work gives way to the one before. */
async function onStint(config: CurrentConfig, lasting: Lasting, signal: AbortSignal): Promise<void> {
  const { now } = config;
  try {
    await untilOneEnds([(stop) => config.changed(stop), (stop) => stint(now, lasting, stop)], signal);
  } catch (error) {
    if (!(error instanceof CannotStart) || !config.goBack(error)) throw error;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Two agents on one state directory would provision one device twice; a directory that cannot even be locked
 * is no state.
 */
export async function lockState(state: string): Promise<Lock> {
  try {
    return await acquireLock(state);
  } catch (error) {
    if (!(error instanceof AlreadyRunning || error instanceof StoreError)) throw error;
    const event = error instanceof AlreadyRunning ? 'FL-STATE-LOCKED' : 'FL-STATE-UNUSABLE';
    throw new CannotStart(event, error.message, EX_TEMPFAIL, { cause: error });
  }
}
