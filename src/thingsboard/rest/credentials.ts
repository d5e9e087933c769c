/** How a user proves who they are to ThingsBoard's REST API. */

import { Secret } from '../../core/model/secret.ts';

export type RestCredentials =
  | { readonly type: 'password'; readonly user: string; readonly password: Secret }
  /** An API key (ThingsBoard 4.3 and later) or the JWT of a session. */
  | { readonly type: 'token'; readonly token: Secret };

/** `header.payload.signature`, each Base64url (RFC 7519 section 3). An API key has no dots. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The value of X-Authorization for a token. */
export function authorizationOf(token: Secret): Secret {
  const text = token.reveal();
  return new Secret(JWT.test(text) ? `Bearer ${text}` : `ApiKey ${text}`);
}
