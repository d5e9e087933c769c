/** The stored credentials as the doctor sees them: looked at without mending anything, and held against server and board. */

import { identityOf } from '../../app/identity.ts';
import type { Config } from '../../core/model/config.ts';
import { misfit } from '../../credentials/binding.ts';
import { lookAtRecord } from '../../credentials/inspect.ts';
import { StoreError } from '../../credentials/store-error.ts';
import type { Credentials } from '../../doctor/credential-state.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';

export async function lookAtCredentials(
  state: string,
  { device, server }: Pick<Config, 'device' | 'server'>,
): Promise<Credentials> {
  if (device.token) return { are: 'given', token: device.token };
  try {
    const found = await lookAtRecord(state);
    switch (found.is) {
      case 'absent':
      case 'remnant':
        return { are: 'absent' };
      case 'damaged':
      case 'newer':
        return { are: found.is, problem: found.problem };
      case 'good': {
        const { record } = found;
        const binding = {
          servers: server.roads.map(identityOf),
          fingerprint: boardFingerprint({ root: '/' }),
        };
        const what = misfit(found, binding);
        if (what) return { are: 'of another', what, device: record.deviceName, server: record.server };
        if (record.state === 'pending') return { are: 'pending', device: record.deviceName };
        return { are: 'usable', device: record.deviceName, token: record.token };
      }
    }
  } catch (error) {
    if (error instanceof StoreError) return { are: 'hidden', problem: error.message };
    throw error;
  }
}
