/**
 * Every expected way in which a request can fail, as one closed union.
 *
 * A transport or store returns a `Failure`; the session switches on its `reason` only; policies.ts has the
 * retry schedule and the sentence for each reason. `detail` is for the log, without secrets and without long
 * text of the server.
 */

export type FailureReason =
  /** 4.01 / 401: the access token is not valid (contract 1.1). */
  | 'unauthorized'
  /** status NOT_FOUND: wrong key, wrong secret, or provisioning disabled (3.3). */
  | 'provisioning-key-unknown'
  /**
   * status FAILURE: name taken, already provisioned, not pre-provisioned, device limit, token in use (3.3).
   */
  | 'provisioning-declined'
  /** Empty 4.00 / HTTP 500 for a malformed body: a bug of the agent or an incompatible server (3.2, 4.1). */
  | 'request-malformed'
  /** 5.00 / 500: rate limit, outage, or a profile of another transport type (traps 5 and 19). */
  | 'server-overloaded'
  /** No response within the deadline, and no network error. */
  | 'server-timeout'
  /** The server acknowledged the request but did not respond within the deadline. */
  | 'no-response-after-ack'
  /** ICMP port unreachable or a TCP reset: the host is reachable, but nothing listens. */
  | 'port-closed'
  /** No route to the host, network unreachable, or no local address. */
  | 'no-route'
  /** The host name of the server cannot be resolved. */
  | 'dns-failed'
  /** The request cannot be built, for example because the token is too long for a path. */
  | 'request-build-failed'
  /** There are no credentials and no provisioning key. */
  | 'provisioning-key-missing'
  /** The peer sent a reset or closed the connection before its response. */
  | 'connection-reset'
  /** Not a response of ThingsBoard: unknown code, invalid body, wrong path (4.04/4.05, 404/405). */
  | 'unexpected-response'
  /**
   * 401, 403, … not of ThingsBoard: a program in front of it denies the request. Says nothing of the token or
   * the readings.
   */
  | 'request-blocked'
  /** 502, 503, 504: a proxy in front of ThingsBoard responds, but ThingsBoard does not. */
  | 'upstream-unavailable'
  /** The server certificate has expired or is not valid yet. */
  | 'certificate-date-invalid'
  /** The same, but probably because the clock of this host is wrong. */
  | 'clock-wrong'
  /** The certificate is for another host name. */
  | 'certificate-name-mismatch'
  /** The issuer of the certificate is not trusted. */
  | 'certificate-untrusted'
  /** The public key of the server matches no pin. */
  | 'certificate-pin-mismatch'
  /** The server requires a client certificate or rejects the configured one. */
  | 'client-certificate-rejected'
  /** No TLS version or cipher in common. */
  | 'tls-version-mismatch'
  /** The TLS handshake failed for another reason; often the port does not use TLS. */
  | 'tls-failed'
  /** coaps needs the helper program firstlight-dtls, which is not installed or does not run. */
  | 'dtls-unavailable'
  /** The helper program firstlight-dtls is of another version, with which the agent cannot talk. */
  | 'dtls-version-mismatch'
  /** The proxy cannot be reached or does not respond. */
  | 'proxy-unreachable'
  /** The proxy requires a log-in, denies the server or cannot reach it. */
  | 'proxy-denied'
  /** A web page or a redirect to another host: a log-in page or the wrong site. */
  | 'captive-portal'
  /** A redirect from https to http, a redirect loop, or an invalid target. */
  | 'redirect-not-followed'
  /** An endpoint does not know a token that another one has accepted. */
  | 'endpoints-inconsistent'
  /** The path of a request over this transport cannot contain the access token (model/access-token.ts). */
  | 'token-unsuitable'
  /**
   * The server issued MQTT_BASIC, X509_CERTIFICATE or LWM2M_CREDENTIALS, which the agent cannot use (3.2).
   */
  | 'credentials-type-unsupported'
  /** The intent or the token could not be stored on disk. */
  | 'credentials-storage-failed'
  /** Both credential files are damaged: a device may exist already. */
  | 'credentials-unreadable'
  /** A newer version of Firstlight wrote the credentials. */
  | 'credentials-newer'
  /** The agent is stopping. */
  | 'aborted';

/** The longest retry interval of any failure policy, ms; a server cannot make the agent wait longer. */
export const RETRY_AFTER_MS_MAX = 60 * 60_000;

export interface Failure {
  readonly reason: FailureReason;
  /** The observation in a few words: "no answer from 192.0.2.7:5683 in 45 s". */
  readonly detail: string;
  /** Wait requested by the server or proxy, ms; the transport limits it. */
  readonly retryAfterMs?: number;
}

/** The result of every operation that the signal has aborted. */
export function aborted(): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { reason: 'aborted', detail: 'stopping' } };
}

/** Expected failures are values; only a bug throws. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };
