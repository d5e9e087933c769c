/**
 * One process of the agent as src/app wires it for the server's settings and commands: the stored settings, their trials, the
 * restart of the loops with each change, and the dispatcher of commands.
 */

import type { AgentPorts, AgentSettings } from '../../../src/agent/agent.ts';
import { ConfigReloader } from '../../../src/app/config-reloader.ts';
import { RemoteSettings } from '../../../src/app/remote/remote-settings.ts';
import { loadWithStored, parseRemoteSettings } from '../../../src/app/remote/settings-file.ts';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import type { RemoteSource } from '../../../src/config/remote-values.ts';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import { runUntilFirst, type Task } from '../../../src/core/async/tasks.ts';
import { CommandDispatcher } from '../../../src/core/downlink/command-dispatcher.ts';
import type { StartedCommandStore } from '../../../src/core/downlink/command-history.ts';
import type { CommandTable } from '../../../src/core/downlink/command-table.ts';
import { isJsonObject } from '../../../src/core/model/json-object.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import type { DownlinkListener } from '../../../src/core/ports/downlink.ts';
import type { Logger } from '../../../src/core/ports/log.ts';
import type { Random } from '../../../src/core/ports/random.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import { override } from '../override.ts';
import { plantedHistory, plantedSettings } from './planted-bugs.ts';
import type { SettingsDisk, SettingsDiskPorts } from './settings-disk.ts';

export interface RemoteGatewayPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly disk: SettingsDisk;
  readonly diskPorts: SettingsDiskPorts;
  /** The configuration of the gateway itself, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly startedCommands: StartedCommandStore | undefined;
  readonly commands: CommandTable;
  readonly plant: string | undefined;
}

/** What an instance of the loops gets from here. */
export type RemotePorts = Required<
  Pick<AgentPorts, 'downlink' | 'onTelemetryAccepted' | 'changingAttributes'>
>;

/** As in src/app/agent-instance.ts. */
const TRIAL_SPREAD_MS_MAX = 60_000;

export class RemoteGateway {
  readonly remote: RemoteSettings;
  readonly #config: ConfigReloader;
  readonly #ports: RemoteGatewayPorts;
  readonly #commands: CommandDispatcher;
  readonly #onRegistered: () => void;

  constructor(ports: RemoteGatewayPorts) {
    this.#ports = ports;
    const { clock, random, log, disk, diskPorts, environment, startedCommands, plant } = ports;
    const read = (remote: RemoteSource) =>
      loadConfig({
        file: '/nonexistent/firstlight.toml',
        fileRequired: false,
        environment,
        names: { sensors: [], keys: [] },
        isService: true,
        remote,
      });
    const none = { record: { confirmed: new Map(), rejected: new Map(), board: [] } };
    const stored = disk.text === undefined ? none : parseRemoteSettings(disk.text, []);
    const first = loadWithStored(read, stored.record);
    const file = disk.open(diskPorts);
    const bindCredentials = async () => {};
    const remote = new RemoteSettings(stored, first, { file, clock, log, read, bindCredentials });
    this.remote = plantedSettings(remote, file, () => this.#config, plant);
    this.#config = new ConfigReloader(first.loaded, {
      remote: this.remote,
      reload: new AsyncSignal(),
      log: override(log as Logger & { configure: () => void }, { configure: () => {} }),
      service: undefined,
    });
    const history = plantedHistory(clock, plant);
    this.#onRegistered = history.onRegistered;
    this.#commands = new CommandDispatcher({
      clock: history.clock,
      random,
      log,
      store: plant === 'commands-forgotten' ? undefined : startedCommands,
    });
  }

  get current(): LoadedConfig {
    return this.#config.current;
  }

  /** Runs instances of the loops, each with one configuration, beside the `background` tasks. */
  async run(
    background: Task,
    runInstance: (loaded: LoadedConfig, stop: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const runInstances = async (stop: AbortSignal): Promise<void> => {
      while (!stop.aborted) {
        const loaded = this.#config.current;
        await runUntilFirst(
          [(over) => this.#config.waitForChange(over), (over) => runInstance(loaded, over)],
          stop,
        );
      }
    };
    await runUntilFirst([(stop) => this.remote.run(stop), background, runInstances], signal);
  }

  get ports(): RemotePorts {
    const { commands, plant } = this.#ports;
    const dispatcher = this.#commands;
    let lastMs = Number.NEGATIVE_INFINITY;
    const { clock } = this.#ports;
    return {
      downlink: {
        subscriptions: { attributes: true, commands: true },
        listener: {
          onAttributes: (update) => this.remote.onAttributes(update),
          onCommand: (command) => {
            const isDropped = plant === 'command-dropped' && clock.monotonicMs() - lastMs < 60_000;
            lastMs = clock.monotonicMs();
            const params = isJsonObject(command.params) ? command.params : {};
            // The definition of a command does not get its id.
            if (!isDropped) dispatcher.onCommand({ ...command, params: { ...params, id: command.id } });
          },
        },
        serveCommands: (send, signal) => dispatcher.serve(commands, send, signal),
      },
      onTelemetryAccepted: (readBootMs) => this.remote.onTelemetryAccepted(readBootMs),
      changingAttributes: this.remote.report,
    };
  }

  /** The settings of the loops, as in src/app/agent-instance.ts. */
  settings({
    config,
  }: LoadedConfig): Pick<AgentSettings, 'spreadMs' | 'sampleEveryMs' | 'drainPerS' | 'firstRequestMsMax'> {
    return {
      ...(this.remote.isOnTrial && { firstRequestMsMax: TRIAL_SPREAD_MS_MAX }),
      spreadMs: config.server.spreadMs,
      sampleEveryMs: config.telemetry.intervalMs,
      drainPerS: config.telemetry.drainPerS,
    };
  }

  /** `transport`, which tells this process of each registration. */
  watched(transport: Transport): Transport {
    return override<Transport>(transport, {
      listen: (token, subscriptions, listener, signal) => {
        const heard: DownlinkListener = {
          onRegistered: () => {
            this.#onRegistered();
            listener.onRegistered();
          },
          onAttributes: (update) => listener.onAttributes(update),
          onCommand: (command) => listener.onCommand(command),
        };
        return transport.listen(token, subscriptions, heard, signal);
      },
    });
  }
}
