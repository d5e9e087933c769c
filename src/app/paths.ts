/** The paths of configuration, state, credentials and runtime directory, and loading of the configuration. */

import { accessSync, constants, existsSync } from 'node:fs';
import type { SensorNames } from '../config/custom-sensors.ts';
import { type LoadedConfig, type LoadRequest, loadConfig } from '../config/load.ts';
import type { RemoteSource } from '../config/remote-values.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import { catalogue, collectors } from '../sensors/catalogue.ts';
import {
  type LoadedWithStored,
  loadWithStored,
  readRemoteSettings,
  type StoredRemoteSettings,
} from './remote/settings-file.ts';

const CONFIG_FILE = '/etc/firstlight/firstlight.toml';
const STATE_DIRECTORY = '/var/lib/firstlight';

export interface PathOptions {
  readonly config?: string;
  readonly state?: string;
}

export function configFile({ config }: PathOptions, environment: NodeJS.ProcessEnv): string {
  return config ?? environment['FIRSTLIGHT_CONFIG'] ?? CONFIG_FILE;
}

export function stateDirectory({ state }: PathOptions, environment: NodeJS.ProcessEnv): string {
  return state ?? environment['STATE_DIRECTORY'] ?? STATE_DIRECTORY;
}

/**
 * Reads the configuration as the agent does. Throws a ConfigError with every local problem. A missing provisioning secret is none,
 * because a gateway that has credentials must start without it.
 */
export function readConfig(
  pathOptions: PathOptions,
  environment: NodeJS.ProcessEnv,
  remote: RemoteSource,
): LoadedConfig {
  const directory = environment['CREDENTIALS_DIRECTORY'];
  return loadFrom(pathOptions, environment, { remote, directory, canLackSecret: true });
}

export interface ServiceConfig extends LoadedWithStored {
  /** The file with the settings of the server. */
  readonly stored: StoredRemoteSettings;
}

/**
 * Reads the configuration as the service does, but from a shell: secrets that systemd passes to the service are read from its
 * credential store, and the stored settings of the server from the state directory, if this user can read them. Rejects with a
 * ConfigError with every local problem.
 */
export async function readServiceConfig(
  pathOptions: PathOptions,
  environment: NodeJS.ProcessEnv,
  canLackSecret = false,
): Promise<ServiceConfig> {
  const directory = environment['CREDENTIALS_DIRECTORY'] ?? readableCredstore();
  const credentialsHidden = directory === undefined && existsSync(CREDSTORE);
  const state = stateDirectory(pathOptions, environment);
  const stored = await readRemoteSettings(state, boardFingerprint({ root: '/' }));
  const read = (remote: RemoteSource) =>
    loadFrom(pathOptions, environment, { remote, directory, credentialsHidden, canLackSecret });
  return { ...loadWithStored(read, stored.record), stored };
}

interface OtherSources extends Pick<LoadRequest, 'canLackSecret' | 'credentialsHidden'> {
  readonly remote: RemoteSource;
  readonly directory: string | undefined;
}

function loadFrom(
  pathOptions: PathOptions,
  environment: NodeJS.ProcessEnv,
  { remote, directory, ...how }: OtherSources,
): LoadedConfig {
  return loadConfig({
    file: configFile(pathOptions, environment),
    fileRequired: pathOptions.config !== undefined || environment['FIRSTLIGHT_CONFIG'] !== undefined,
    environment,
    credentialsDirectory: directory,
    ...how,
    names: SENSOR_NAMES,
    remote,
  });
}

/** Undefined for a user who cannot read it; usually only root can. */
export function readableCredstore(): string | undefined {
  try {
    accessSync(CREDSTORE, constants.R_OK | constants.X_OK);
    return CREDSTORE;
  } catch {
    return undefined;
  }
}

/** Where systemd looks for the credentials of services (systemd.exec(5), ImportCredential=). */
export const CREDSTORE = '/etc/credstore';
const RUNTIME_DIRECTORY = '/run/firstlight';

/** Where the agent writes; undefined if there is no such directory, as in a container without /run. */
export function writableRuntimeDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  const { RUNTIME_DIRECTORY: runtimeDirectories } = environment;
  // systemd separates several directories by colons (systemd.exec(5)); the first one is the agent's.
  if (runtimeDirectories) return runtimeDirectories.split(':')[0];
  try {
    accessSync(RUNTIME_DIRECTORY, constants.W_OK | constants.X_OK);
    return RUNTIME_DIRECTORY;
  } catch {
    return undefined;
  }
}

/** Where a command reads the status. */
export function runtimeDirectory(option: string | undefined, environment: NodeJS.ProcessEnv): string {
  return option ?? environment['RUNTIME_DIRECTORY']?.split(':')[0] ?? RUNTIME_DIRECTORY;
}

/** The names of the built-in sensors and their keys, against which the configuration is checked. */
export const SENSOR_NAMES: SensorNames = {
  sensors: collectors.map(({ name }) => name),
  keys: catalogue.map(({ key }) => key),
};
