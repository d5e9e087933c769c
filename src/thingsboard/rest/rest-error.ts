/** The errors of ThingsBoard's REST API, each with one sentence that says what to do. No text contains a secret. */

import type { Failure, FailureReason } from '../../core/failures/failure.ts';

export type RestErrorReason =
  | 'unreachable'
  | 'not-thingsboard'
  | 'login-failed'
  | 'token-rejected'
  | 'no-rights'
  | 'limit-reached'
  | 'rate-limited'
  | 'changed-meanwhile'
  | 'rejected'
  | 'server-error'
  | 'unsupported-version';

/** An expected error of the conversation. The message is for an operator. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly code = 'THINGSBOARD_REST';
  readonly reason: RestErrorReason;

  constructor(reason: RestErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The server's message in an error: one line, at most this long. */
const MESSAGE_CHARACTERS_MAX = 200;

/** An error body of ThingsBoard; `errorCode` is 0 if there is none. */
export interface ServerMessage {
  readonly text: string;
  readonly errorCode: number;
}

/** ThingsBoard's codes in the body of an error. */
const ENTITIES_LIMIT_EXCEEDED = 41;
const CREDENTIALS_EXPIRED = 15;

/** Makes one short line of a text of the server. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return plain.length > MESSAGE_CHARACTERS_MAX ? `${plain.slice(0, MESSAGE_CHARACTERS_MAX)}…` : plain;
}

/** `status`: of the response to a login with user name and password. */
export function loginError(status: number, message: ServerMessage): RestError {
  if (status !== 401 && status !== 400) return statusError(status, message, 'logging in');
  if (message.errorCode === CREDENTIALS_EXPIRED)
    return new RestError(
      'login-failed',
      'the password has expired: set a new one in the web interface of ThingsBoard',
    );
  return /locked|not active/i.test(message.text)
    ? new RestError('login-failed', `ThingsBoard does not let this user log in: ${message.text}`)
    : new RestError(
        'login-failed',
        'ThingsBoard rejects the user name or the password: check both, and that --url is the right server',
      );
}

/** `doing` continues the sentence "… while ". */
export function statusError(status: number, message: ServerMessage, doing: string): RestError {
  const said = message.text === '' ? `status ${status}` : message.text;
  if (status === 401)
    return new RestError(
      'token-rejected',
      'ThingsBoard rejects the API key or token: check the file, and whether it has expired',
    );
  if (status === 403 && message.errorCode === ENTITIES_LIMIT_EXCEEDED)
    return new RestError(
      'limit-reached',
      `a limit of the tenant profile is reached while ${doing} (${said}): raise it, or delete what is not needed`,
    );
  if (status === 403)
    return new RestError(
      'no-rights',
      `this user has no right for ${doing}: log in as an administrator of the tenant`,
    );
  if (status === 409)
    return new RestError(
      'changed-meanwhile',
      `somebody else changed it while ${doing}: run the command again`,
    );
  if (status === 429)
    return new RestError(
      'rate-limited',
      `ThingsBoard limits the requests of this tenant (${said}): wait a minute and run the command again`,
    );
  if (status === 502 || status === 503 || status === 504)
    return new RestError(
      'server-error',
      `a proxy answers with ${status}, but ThingsBoard behind it does not: check that ThingsBoard runs`,
    );
  if (status >= 500)
    return new RestError(
      'server-error',
      `ThingsBoard has an internal error while ${doing} (${said}): see its log`,
    );
  if (status === 404 && / is not found$/.test(message.text))
    return new RestError(
      'changed-meanwhile',
      `${message.text} while ${doing}, because somebody deleted it: run the command again`,
    );
  if (status === 404 || status === 405)
    return new RestError(
      'not-thingsboard',
      `the server has no such resource while ${doing} (status ${status}): check that --url is the root of ThingsBoard's web interface`,
    );
  return new RestError('rejected', `ThingsBoard refuses ${doing}: ${said}`);
}

const NETWORK_SENTENCES: Partial<Record<FailureReason, string>> = {
  'dns-failed': 'the host name cannot be resolved: check --url',
  'port-closed': 'nothing listens on this port: check the port in --url and that ThingsBoard runs',
  'no-route': 'there is no route to the server: check the network',
  'server-timeout': 'the server does not respond: check --url, and that no firewall is in between',
  'connection-reset': 'the server closes the connection: check whether --url must begin with https',
  'certificate-untrusted':
    'this host does not trust the issuer of the server certificate: check it, and if it is your own, give it with --ca-file',
  'certificate-name-mismatch': 'the server certificate is for another host name: check the host in --url',
  'certificate-date-invalid': 'the server certificate has expired or is not valid yet: renew it',
  'clock-wrong': 'the clock of this host is wrong, so the certificate appears to be invalid: set the clock',
  'client-certificate-rejected': 'the server requires a client certificate: use a URL that does not',
  'tls-version-mismatch': 'the server offers no TLS version that is secure enough: update its TLS settings',
  'tls-failed': 'the encrypted connection cannot be established: check whether --url must begin with http',
  'proxy-unreachable': 'the proxy cannot be reached: check HTTPS_PROXY',
  'proxy-denied': 'the proxy does not give access to the server: check its rules and HTTPS_PROXY',
};

export function networkError({ reason, detail }: Failure): RestError {
  const sentence = NETWORK_SENTENCES[reason] ?? 'the server cannot be reached: check --url';
  return new RestError('unreachable', `${sentence} (${detail})`);
}
