/** Port for the credential store, and the record it holds. */

import type { Secret } from '../model/secret.ts';

/** What the credential store remembers. Exactly one of the two states; no record means a first boot. */
export type CredentialRecord =
  | {
      /** A request may have been sent. In device-generated mode `token` is the one proposed. */
      readonly state: 'pending';
      readonly server: string;
      readonly deviceName: string;
      readonly token?: Secret;
      /** A token that worked and was revoked: still tried, slowly, in case the revocation is taken back. */
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
/** Durable memory of the credentials. `write` returns when a power cut can no longer undo it. */
export interface CredentialStore extends AsyncDisposable {
  /** Rejects with a StoreError that says what is wrong with the file and what to do. */
  read(): Promise<CredentialRecord | undefined>;
  write(record: CredentialRecord): Promise<void>;
}
