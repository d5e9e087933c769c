/**
 * Refusals: every expected way in which a request to the server can fail, as one closed union.
 *
 * A transport translates what it saw on its road into one of these; the session switches on `reason` and on
 * nothing else; core/verdicts.ts has the schedule and the operator's sentence for each. `detail` says what
 * was seen, for the log; it never holds a secret, and never a server's text unshortened.
 */

export type FailureReason =
  /** 4.01 / 401: this token is not valid (contract 1.1). */
  | 'unauthorized'
  /** status NOT_FOUND: wrong key, wrong secret, or provisioning disabled (3.3). */
  | 'provisioning-key-unknown'
  /**
   * status FAILURE: name taken, already provisioned, not pre-provisioned, device limit, token in use (3.3).
   */
  | 'provisioning-declined'
  /**
   * Empty 4.00 / HTTP 500 on a body the server calls malformed: our bug or an incompatible server (3.2, 4.1).
   */
  | 'request-malformed'
  /** 5.00 / 500: rate limit, outage, or a profile of another transport type (traps 5 and 19). */
  | 'server-overloaded'
  /** No answer within the deadline, though nothing on the road said why. */
  | 'server-timeout'
  /** The server acknowledged the request and then gave no answer within the deadline. */
  | 'no-response-after-ack'
  /** ICMP port unreachable, or a TCP reset to the connection: the host is there, nobody listens. */
  | 'port-closed'
  /** No route to the host, network unreachable, no address of ours. */
  | 'no-route'
  /** The server's name cannot be resolved. */
  | 'dns-failed'
  /** The request cannot even be built, such as one with a token too long for a path. */
  | 'request-build-failed'
  /** There are no credentials and no provisioning pair. */
  | 'provisioning-key-missing'
  /** The peer answered with a reset, or closed the connection before its answer was there. */
  | 'connection-reset'
  /** An answer that is not ThingsBoard's: unknown code, unparsable body, wrong path (4.04/4.05, 404/405). */
  | 'unexpected-response'
  /** 502, 503, 504: something in front of ThingsBoard answers, and ThingsBoard does not. */
  | 'upstream-unavailable'
  /** The server's certificate has expired, or is not valid yet. */
  | 'certificate-date-invalid'
  /** The same, and it is our clock that is wrong, as far as anybody can tell. */
  | 'clock-wrong'
  /** The certificate is for another name. */
  | 'certificate-name-mismatch'
  /** Nobody we trust has issued the certificate. */
  | 'certificate-untrusted'
  /** The server's public key is none of the pinned ones. */
  | 'certificate-pin-mismatch'
  /** The server wants a client certificate, or does not take ours. */
  | 'client-certificate-rejected'
  /** No TLS version or cipher in common. */
  | 'tls-version-mismatch'
  /** The TLS handshake failed otherwise; often the port does not speak TLS. */
  | 'tls-failed'
  /** The proxy cannot be reached or does not answer. */
  | 'proxy-unreachable'
  /** The proxy does not let us through: it wants a log-in, or forbids or cannot reach the server. */
  | 'proxy-denied'
  /** A web page instead of the API, or a redirect to another host: a log-in page, or the wrong site. */
  | 'captive-portal'
  /** A redirect that is not followed: from https to http, in a circle, or to nowhere. */
  | 'redirect-not-followed'
  /** One road of server.url does not know a token that another one has taken. */
  | 'endpoints-inconsistent'
  /**
   * Credentials of a type this agent cannot use were issued (3.2): MQTT_BASIC, X509_CERTIFICATE,
   * LWM2M_CREDENTIALS.
   */
  | 'credentials-type-unsupported'
  /** Our own disk, not the server: the intent or the token could not be made durable. */
  | 'credentials-storage-failed'
  /** Both credential files are damaged: nobody can know whether there is a device already. */
  | 'credentials-unreadable'
  /** A later firstlight wrote the credentials. */
  | 'credentials-newer'
  /** The agent is stopping. */
  | 'aborted';

export interface Failure {
  readonly reason: FailureReason;
  /** What was seen, in a few words: "no answer from 192.0.2.7:5683 in 45 s". */
  readonly detail: string;
  /** Whoever answered asks to be left alone for so long, ms; a transport bounds it. */
  readonly retryAfterMs?: number;
}

/** The agent is stopping: what comes of every operation that was ended by its signal. */
export function aborted(): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { reason: 'aborted', detail: 'stopping' } };
}

/** An expected failure is a value; only a bug throws. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };
