/** The paths of configuration, state, credentials and runtime directory, and loading of the configuration. */

import { accessSync, constants, existsSync } from 'node:fs';
import type { SensorNames } from '../config/custom-sensors.ts';
import { type LoadedConfig, type LoadRequest, loadConfig } from '../config/load.ts';
import { catalogue, collectors } from '../sensors/catalogue.ts';

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
 * Reads the configuration as the agent does. Throws a ConfigError with every problem. A missing provisioning secret is none,
 * because a gateway that has credentials must start without it.
 */
export function readConfig(pathOptions: PathOptions, environment: NodeJS.ProcessEnv): LoadedConfig {
  return loadFrom(pathOptions, environment, environment['CREDENTIALS_DIRECTORY'], { canLackSecret: true });
}

/**
 * Reads the configuration as the service does, but from a shell: secrets that systemd passes to the service are read from its
 * credential store, if this user can read it. Throws a ConfigError with every problem.
 */
export function readServiceConfig(
  pathOptions: PathOptions,
  environment: NodeJS.ProcessEnv,
  canLackSecret = false,
): LoadedConfig {
  const directory = environment['CREDENTIALS_DIRECTORY'] ?? readableCredstore();
  const credentialsHidden = directory === undefined && existsSync(CREDSTORE);
  return loadFrom(pathOptions, environment, directory, { credentialsHidden, canLackSecret });
}

function loadFrom(
  pathOptions: PathOptions,
  environment: NodeJS.ProcessEnv,
  credentialsDirectory: string | undefined,
  how: Pick<LoadRequest, 'canLackSecret' | 'credentialsHidden'>,
): LoadedConfig {
  return loadConfig({
    file: configFile(pathOptions, environment),
    fileRequired: pathOptions.config !== undefined || environment['FIRSTLIGHT_CONFIG'] !== undefined,
    environment,
    credentialsDirectory,
    ...how,
    names: SENSOR_NAMES,
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
