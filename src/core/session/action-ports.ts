/** What the actions of the session need, and how an error of the credential store becomes a failure. */

import type { FailureReason } from '../failures/failure.ts';
import { errorCode } from '../model/error-code.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credentials.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { SessionEvent } from './state.ts';

export interface ActionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: CredentialStore;
  readonly transport: Transport;
  /** Ends a wait early when the host gets a network. Absent: waits are not ended early. */
  readonly network?: Network | undefined;
}

export interface ProvisioningSettings {
  readonly server: string;
  readonly deviceName: string;
  /** The first request waits a random part of this, ms. */
  readonly spreadMs: number;
  /** Absent: this gateway cannot provision, and the agent starts only if there are credentials. */
  readonly pair?: { readonly key: string; readonly secret: Secret; readonly deviceGenerated: boolean };
}

/** Turns a StoreError into a failure with the message of the store, so that the agent continues sampling. */
export async function catchStoreError(action: () => Promise<SessionEvent>): Promise<SessionEvent> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StoreError') throw error;
    return { type: 'failed', failure: { reason: failureReasonOf(error), detail: error.message } };
  }
}

function failureReasonOf(error: Error): FailureReason {
  switch (errorCode(error)) {
    case 'CREDENTIALS_DAMAGED':
      return 'credentials-unreadable';
    case 'CREDENTIALS_NEWER':
      return 'credentials-newer';
    default:
      return 'credentials-storage-failed';
  }
}
