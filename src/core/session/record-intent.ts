/**
 * Records the intent to provision before the first request: server, device name, proposed token.
 *
 * A power cut after the request would otherwise leave a device on the server whose token nobody knows. With the
 * intent on the disk, the next start verifies the proposed token first.
 */

import { type ActionPorts, catchStoreError, type ProvisioningSettings } from './action-ports.ts';
import type { DeviceIdentity, SessionEvent, SessionStep } from './state.ts';

/**
 * A gateway whose token was revoked keeps its registered name, even if the configuration has another one now.
 */
export async function recordIntent(
  { revoked, proposed }: SessionStep & { at: 'record-intent' },
  ports: ActionPorts,
  settings: ProvisioningSettings,
): Promise<SessionEvent> {
  const { server, pair } = settings;
  const deviceName = revoked?.deviceName ?? settings.deviceName;
  const token = proposed ?? (pair?.deviceGenerated ? ports.random.mintToken() : undefined);
  const identity: DeviceIdentity = {
    deviceName,
    ...(token && { token }),
    ...(revoked && { previousToken: revoked.token }),
  };
  return catchStoreError(async () => {
    await ports.store.write({ state: 'pending', server, sinceMs: ports.clock.wallMs(), ...identity });
    return { type: 'intent-recorded', identity };
  });
}
