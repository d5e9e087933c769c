/**
 * The two names of the wiring: that of the server, to which credentials are bound, and that of this gateway.
 */

import { uptime } from 'node:os';
import { tell } from '../core/events/catalogue.ts';
import type { Config, ServerAddress } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Logger } from '../core/ports/log.ts';
import { deviceName } from '../host/hardware/device-name.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import { CannotStart } from './startup-error.ts';

/** One name for one server, however its URL is written. */
export function identityOf({ scheme, host, port }: ServerAddress): string {
  const plain = host.toLowerCase().replace(/\.$/, '');
  return `${scheme}://${plain.includes(':') ? `[${plain}]` : plain}:${port}`;
}

/** A host that booted this long ago has loaded its drivers: what it lacks now it will lack later, s. */
const BOOTED_S = 120;

/** Asked only where there is no name yet: one that is stored, or that of a fixed token, needs no board. */
export async function nameOfThisGateway(
  config: Config,
  { log, clock, signal }: { log: Logger; clock: Clock; signal: AbortSignal },
): Promise<string> {
  const template = config.device.name;
  const name = () => deviceName({ root: '/', ...(template !== undefined && { template }) });
  let named = name();
  // A board without a serial is known by its interface alone, whose driver may still be loading at a first
  // boot; a poorer name could be a clone's too.
  while ((!named.ok || named.warning !== undefined) && !signal.aborted && uptime() < BOOTED_S) {
    if (boardFingerprint({ root: '/' }).length > 0) break;
    await clock.sleep(1_000, signal);
    named = name();
  }
  if (!named.ok)
    throw new CannotStart(
      'FL-NAME-IMPOSSIBLE',
      `device.name: ${named.problem}; set a name that fits this host`,
    );
  if (named.warning) tell(log, 'FL-NAME-WEAK', {}, named.warning);
  return named.name;
}
