/** The two identities in use: that of the server, to which credentials are bound, and the name of this gateway. */

import { uptime } from 'node:os';
import { logEvent } from '../core/events/catalogue.ts';
import { isIdentified } from '../core/model/board-fingerprint.ts';
import type { Config, ServerAddress } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { deriveDeviceName } from '../host/hardware/device-name.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import { StartupError } from './startup-error.ts';

/** The same text for every spelling of one server's URL. */
export function endpointId({ scheme, host, port }: ServerAddress): string {
  const normalised = host.toLowerCase().replace(/\.$/, '');
  return `${scheme}://${normalised.includes(':') ? `[${normalised}]` : normalised}:${port}`;
}

/** Uptime after which all drivers are loaded, s. */
const BOOT_WAIT_S = 120;

/** Derives the name from the configuration and the hardware. Throws a StartupError if no name results. */
export async function resolveDeviceName(
  config: Config,
  { log, clock, signal }: { log: Logger; clock: Clock; signal: AbortSignal },
): Promise<string> {
  const template = config.device.name;
  const tryName = () => deriveDeviceName({ root: '/', ...(template !== undefined && { template }) });
  let result = tryName();
  // A board without a serial number is identified by its network interface, whose driver may still be loading at a first
  // boot. A name without it could be the name of a clone, too.
  while ((!result.ok || result.warning !== undefined) && !signal.aborted && uptime() < BOOT_WAIT_S) {
    if (isIdentified(boardFingerprint({ root: '/' }))) break;
    await clock.sleep(1_000, signal);
    result = tryName();
  }
  if (!result.ok)
    throw new StartupError(
      'FL-DEVICE-NAME-INVALID',
      `device.name: ${result.problem}; set a name that fits this host`,
    );
  if (result.warning) logEvent(log, 'FL-DEVICE-NAME-AMBIGUOUS', {}, result.warning);
  return result.name;
}
