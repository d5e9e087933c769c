/** Reads the stored credentials without repairing them, and compares them with the server and the board. */

import { credentialServers } from '../../app/identity.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { inspectRecord } from '../../credentials/inspect.ts';
import { bindingMismatch } from '../../credentials/record.ts';
import { StoreError } from '../../credentials/store-error.ts';
import type { CredentialState } from '../../doctor/credential-state.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';

export async function inspectCredentials(
  state: string,
  loaded: Pick<LoadedConfig, 'config' | 'localEndpoints'>,
): Promise<CredentialState> {
  const { device } = loaded.config;
  if (device.token)
    return {
      status: 'configured',
      token: device.token,
      ...(device.isCertificate && { isCertificate: true }),
    };
  try {
    const inspection = await inspectRecord(state);
    switch (inspection.is) {
      case 'absent':
      case 'partial':
        return { status: 'absent' };
      case 'damaged':
      case 'newer':
        return { status: inspection.is, problem: inspection.problem };
      case 'good': {
        const { record } = inspection;
        const binding = {
          servers: credentialServers(loaded),
          fingerprint: boardFingerprint({ root: '/' }),
        };
        const mismatch = bindingMismatch(inspection, binding);
        if (mismatch)
          return {
            status: 'bound-elsewhere',
            differs: mismatch,
            device: record.deviceName,
            server: record.server,
          };
        if (record.state === 'pending') return { status: 'pending', device: record.deviceName };
        return { status: 'usable', device: record.deviceName, token: record.token };
      }
    }
  } catch (error) {
    if (error instanceof StoreError) return { status: 'unreadable', problem: error.message };
    throw error;
  }
}
