/** What the doctor knows of the credentials: whether the agent would use them here, and if not, what it would do at its start. */

import type { Secret } from '../core/model/secret.ts';

export type Credentials =
  | { readonly are: 'usable'; readonly device: string; readonly token: Secret }
  /** Given by the operator: nothing is stored, nothing is provisioned. */
  | { readonly are: 'given'; readonly token: Secret }
  | { readonly are: 'absent' }
  /** Asked for, and not confirmed. */
  | { readonly are: 'pending'; readonly device: string }
  | {
      readonly are: 'of another';
      readonly what: 'server' | 'board';
      readonly device: string;
      readonly server: string;
    }
  /** The agent asks nothing of the server as long as they are there. */
  | { readonly are: 'damaged' | 'newer'; readonly problem: string }
  /** This user may not look, or what is there is no file. */
  | { readonly are: 'hidden'; readonly problem: string };

/** Why there is no token to ask the server about; undefined where there is one. */
export function whyNoToken(credentials: Credentials): string | undefined {
  switch (credentials.are) {
    case 'usable':
    case 'given':
      return undefined;
    case 'absent':
      return 'there are no credentials yet';
    case 'pending':
      return `asked for as ${credentials.device}, and not confirmed yet`;
    case 'of another':
      return credentials.what === 'server'
        ? `the credentials are of another server (${credentials.server}), so nothing was sent: list its URL in server.url, too, if that is the same server at an earlier address`
        : 'the credentials are of another board, so nothing was sent';
    case 'damaged':
    case 'newer':
      return `the credentials cannot be read (see provisioning), so nothing was sent`;
    case 'hidden':
      return credentials.problem;
  }
}
