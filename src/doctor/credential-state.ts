/** The state of the stored credentials: whether the agent would use them here, and if not, why. */

import type { Secret } from '../core/model/secret.ts';

export type CredentialState =
  | { readonly status: 'usable'; readonly device: string; readonly token: Secret }
  /** The token is in the configuration, or stands for the client certificate there. */
  | { readonly status: 'configured'; readonly token: Secret; readonly isCertificate?: true }
  | { readonly status: 'absent' }
  /** Requested, but not confirmed by the server. */
  | { readonly status: 'pending'; readonly device: string }
  | {
      readonly status: 'bound-elsewhere';
      readonly differs: 'server' | 'board';
      readonly device: string;
      readonly server: string;
    }
  /** While they exist, the agent sends no request. */
  | { readonly status: 'damaged' | 'newer'; readonly problem: string }
  /** This user cannot read them, or the path is not a file. */
  | { readonly status: 'unreadable'; readonly problem: string };

/** Why there is no token to verify; undefined if there is one. */
export function explainMissingToken(credentials: CredentialState): string | undefined {
  switch (credentials.status) {
    case 'usable':
    case 'configured':
      return undefined;
    case 'absent':
      return 'there are no credentials yet';
    case 'pending':
      return `requested as ${credentials.device}, but not yet confirmed`;
    case 'bound-elsewhere':
      return credentials.differs === 'server'
        ? `the credentials belong to another server (${credentials.server}), so nothing was sent: if that is an earlier address of the same server, add its URL to server.url`
        : 'the credentials belong to another board, so nothing was sent';
    case 'damaged':
    case 'newer':
      return `the credentials cannot be read (see provisioning), so nothing was sent`;
    case 'unreadable':
      return credentials.problem;
  }
}
