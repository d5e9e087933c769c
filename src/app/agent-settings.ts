/** Translates the configuration into the settings of the agent's loops. */

import type { AgentSettings } from '../agent/agent.ts';
import type { Config } from '../core/model/config.ts';
import { endpointId } from './identity.ts';

export function createAgentSettings(config: Config, name: string): AgentSettings {
  const { server, device, provisioning, telemetry } = config;
  return {
    server: endpointId(server.endpoints[0]),
    deviceName: name,
    spreadMs: server.spreadMs,
    sampleEveryMs: telemetry.intervalMs,
    drainPerS: telemetry.drainPerS,
    deadbands: telemetry.deadbands,
    ...(device.token && { token: device.token }),
    ...(provisioning && {
      reprovision: provisioning.afterSuccess === 'keep',
      pair: {
        key: provisioning.key,
        secret: provisioning.secret,
        deviceGenerated: provisioning.credentials === 'device-generated',
      },
    }),
  };
}
