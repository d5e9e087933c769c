/**
 * Where the agent keeps what is of this boot only: systemd's $RUNTIME_DIRECTORY, else /run/firstlight, if it is there and can
 * be written. Never the state directory: that is flash.
 */

import { accessSync, constants } from 'node:fs';

const RUNTIME_DIRECTORY = '/run/firstlight';

/** Where to write; undefined where there is no such place, as in a container without /run. */
export function writableRuntimeDirectory(environment: NodeJS.ProcessEnv): string | undefined {
  const { RUNTIME_DIRECTORY: given } = environment;
  // Several are separated by colons (systemd.exec(5)); ours is the first.
  if (given) return given.split(':')[0];
  try {
    accessSync(RUNTIME_DIRECTORY, constants.W_OK | constants.X_OK);
    return RUNTIME_DIRECTORY;
  } catch {
    return undefined;
  }
}

/** Where to look. */
export function runtimeDirectory(option: string | undefined, environment: NodeJS.ProcessEnv): string {
  return option ?? environment['RUNTIME_DIRECTORY']?.split(':')[0] ?? RUNTIME_DIRECTORY;
}
