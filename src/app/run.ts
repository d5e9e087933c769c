/**
 * `firstlight run`: starts the agent and turns its end into an exit code.
 *
 * Exit codes: 0 after a stop signal; 78 (EX_CONFIG) if the configuration is invalid; 75 (EX_TEMPFAIL) if the state directory
 * cannot be used; 72 (EX_OSFILE) if a file of the program cannot be loaded; 1 for a bug. A network or server failure never ends it.
 */

import { ConfigError } from '../config/errors/problem.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { RemoteSource } from '../config/remote-values.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { EVENTS, type EventId, logEvent } from '../core/events/catalogue.ts';
import { type HostClock, hostClock } from '../host/clock/clock.ts';
import { createOffsetMemory } from '../host/clock/offset-memory.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import { openLogger } from '../host/log/logger.ts';
import { hostServiceManager } from '../host/systemd/notify.ts';
import { commandControls } from './command-controls.ts';
import { ConfigReloader } from './config-reloader.ts';
import { bindCredentialsTo } from './credential-hooks.ts';
import { runDaemon } from './daemon.ts';
import { EX_CONFIG, EX_FAILED, EX_OK, EX_OSFILE } from './exit-codes.ts';
import { readConfig, stateDirectory } from './paths.ts';
import { RemoteSettings } from './remote/remote-settings.ts';
import { loadWithStored, readRemoteSettings, remoteSettingsFile } from './remote/settings-file.ts';
import { corruptFileOf, StartupError } from './startup-error.ts';
import { StatusOutput } from './status.ts';

export interface RunOptions {
  readonly config?: string;
  readonly state?: string;
}

export interface RunHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly out: NodeJS.WritableStream;
  /** Notified when the configuration must be read again. */
  readonly reload: AsyncSignal;
}

/** Runs until the signal aborts; resolves with the exit code. */
export async function runCommand(options: RunOptions, host: RunHost, signal: AbortSignal): Promise<number> {
  const { environment, out } = host;
  const clock = hostClock();
  const status = new StatusOutput(environment, clock);
  try {
    return await startDaemon(options, host, { clock, status }, signal);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartupError)) throw error;
    const isStartupError = error instanceof StartupError;
    const event: EventId = isStartupError ? error.event : 'FL-CONFIG-INVALID';
    const exitCode = isStartupError ? error.exitCode : EX_CONFIG;
    const sentences = error.message.split('\n');
    // <3> is the priority "error" for journald (sd-daemon(3)).
    const priority = isJournalled(environment) ? '<3>' : '';
    for (const sentence of sentences) out.write(`${priority}${sentence} event=${event}\n`);
    await status.writeFailed(exitCode, event, sentences);
    return exitCode;
  }
}

async function startDaemon(
  options: RunOptions,
  { environment, reload }: RunHost,
  { clock, status }: { readonly clock: HostClock; readonly status: StatusOutput },
  signal: AbortSignal,
): Promise<number> {
  const state = stateDirectory(options, environment);
  const fingerprint = boardFingerprint({ root: '/' });
  const stored = await readRemoteSettings(state, fingerprint);
  const read = (source: RemoteSource) => readConfig(options, environment, source);
  const first = loadWithStored(read, stored.record);
  const { loaded } = first;
  const isJournald = isJournalled(environment);
  const log = openLogger({ ...loaded.config.log, isJournald, clock, listener: status.eventHistory });
  try {
    for (const warning of loaded.warnings) logEvent(log, 'FL-CONFIG-WARNING', {}, warning);
    await using service = hostServiceManager({ environment, clock, log });
    if (service) signal.addEventListener('abort', () => service.stopping(), { once: true });
    const runtime = environment['RUNTIME_DIRECTORY'];
    const memory = runtime
      ? createOffsetMemory({ directory: runtime, bootId: clock.bootId, log })
      : undefined;
    const bindCredentials = (current: LoadedConfig) =>
      bindCredentialsTo(current, { state, fingerprint, clock, log });
    const remote = new RemoteSettings(stored, first, {
      file: remoteSettingsFile(state),
      clock,
      log,
      read,
      bindCredentials,
    });
    const config = new ConfigReloader(loaded, { remote, reload, log, service });
    const { eventHistory } = status;
    const programOptions = {
      config: options.config === undefined ? [] : ['--config', options.config],
      state: options.state === undefined ? [] : ['--state', options.state],
    };
    const isService = service !== undefined;
    const controls = commandControls({
      clock,
      environment,
      eventHistory,
      reload,
      programOptions,
      runtime,
      isService,
    });
    const statusOutput = status.open(log);
    const context = { state, runtime, clock, log, service, memory, remote, controls, statusOutput };
    await runDaemon(config, context, signal);
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

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
