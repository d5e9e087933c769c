/** Port for the credential store, and its record. */

import type { Secret } from '../model/secret.ts';

/** The stored credentials in one of two states; no record means a first boot. */
export type CredentialRecord =
  | {
      /** A request may have been sent. In device-generated mode, `token` is the proposed one. */
      readonly state: 'pending';
      readonly server: string;
      readonly deviceName: string;
      readonly token?: Secret;
      /** A revoked token, which the agent keeps trying in case the server accepts it again. */
      readonly previousToken?: Secret;
      readonly sinceMs: number;
    }
  | {
      readonly state: 'provisioned';
      readonly server: string;
      readonly deviceName: string;
      readonly token: Secret;
      readonly sinceMs: number;
    };

/** Durable storage of the credentials. `write` resolves when a power cut can no longer undo it. */
export interface CredentialStore extends AsyncDisposable {
  /** Rejects with a StoreError that contains the cause and the remedy. */
  read(): Promise<CredentialRecord | undefined>;
  write(record: CredentialRecord): Promise<void>;
}
