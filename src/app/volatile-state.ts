/**
 * Says before the first provisioning request that the state directory does not outlive a reboot.
 *
 * The agent provisions nevertheless: it cannot know whether that is intended (a test, a device that ThingsBoard lets provision
 * again), and a gateway that is offline until somebody reads its log is no better than one that works until the next reboot.
 */

import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import type { Logger } from '../core/ports/log.ts';
import { findVolatileStorage } from '../host/volatile-storage.ts';

/** A fixed token is in the configuration and is not lost. */
export function warnIfVolatile(state: string, { device }: Pick<Config, 'device'>, log: Logger): void {
  const storage = device.token ? undefined : findVolatileStorage(state);
  if (storage !== undefined) logEvent(log, 'FL-STATE-VOLATILE', { state, storage });
}
