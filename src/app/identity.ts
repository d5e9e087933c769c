/** The two identities in use: that of the server, to which credentials are bound, and the name of this gateway. */

import { uptime } from 'node:os';
import type { LoadedConfig } from '../config/load.ts';
import { endpointId } from '../config/values/server-url.ts';
import { logEvent } from '../core/events/catalogue.ts';
import { isIdentified } from '../core/model/board-fingerprint.ts';
import type { Config } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { deriveDeviceName } from '../host/hardware/device-name.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import { StartupError } from './startup-error.ts';

/**
 * The ids of the URLs to which the credentials are bound. A list of the server is another address of the same server, so that the
 * local list counts too. `isOnTrial`: the server has not accepted the token at the list in use yet, which then does not count.
 */
export function credentialServers(
  { config, localEndpoints }: Pick<LoadedConfig, 'config' | 'localEndpoints'>,
  isOnTrial = false,
): readonly string[] {
  const endpoints = isOnTrial ? localEndpoints : [...config.server.endpoints, ...localEndpoints];
  return [...new Set(endpoints.map(endpointId))];
}

/** Uptime after which all drivers are loaded, s. */
const BOOT_WAIT_S = 120;

/** Derives the name from the configuration and the hardware. Throws a StartupError if no name results. */
export async function resolveDeviceName(
  config: Config,
  { log, clock, signal }: { log: Logger; clock: Clock; signal: AbortSignal },
): Promise<string> {
  const template = config.device.name;
  // With a token or a certificate of the operator, the server knows the device by it and never gets the name.
  const isSent = config.device.token === undefined;
  const tryName = () => deriveDeviceName({ root: '/', ...(template !== undefined && { template }) });
  let result = tryName();
  const isDoubtful = () => !result.ok || (isSent && result.warning !== undefined);
  // A board without a serial number is identified by its network interface, whose driver may still be loading at a first
  // boot. A name without it could be the name of a clone, too.
  while (isDoubtful() && !signal.aborted && uptime() < BOOT_WAIT_S) {
    if (isIdentified(boardFingerprint({ root: '/' }))) break;
    await clock.sleep(1_000, signal);
    result = tryName();
  }
  if (!result.ok)
    throw new StartupError(
      'FL-DEVICE-NAME-INVALID',
      `device.name: ${result.problem}; set a name that fits this host`,
    );
  if (isSent && result.warning) logEvent(log, 'FL-DEVICE-NAME-AMBIGUOUS', {}, result.warning);
  return result.name;
}
