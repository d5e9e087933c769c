/**
 * Refusals: every expected way in which a request to the server can fail, as one closed union.
 *
 * A transport translates what it saw on its road into one of these; the session switches on `reason` and on
 * nothing else; core/verdicts.ts has the schedule and the operator's sentence for each. `detail` says what
 * was seen, for the log; it never holds a secret, and never a server's text unshortened.
 */

export type RefusalReason =
  /** 4.01 / 401: this token is not valid (contract 1.1). */
  | 'unauthorized'
  /** status NOT_FOUND: wrong key, wrong secret, or provisioning disabled (3.3). */
  | 'not-found'
  /**
   * status FAILURE: name taken, already provisioned, not pre-provisioned, device limit, token in use (3.3).
   */
  | 'declined'
  /**
   * Empty 4.00 / HTTP 500 on a body the server calls malformed: our bug or an incompatible server (3.2, 4.1).
   */
  | 'malformed'
  /** 5.00 / 500: rate limit, outage, or a profile of another transport type (traps 5 and 19). */
  | 'overloaded'
  /** No answer within the deadline, though nothing on the road said why. */
  | 'silent'
  /** The server acknowledged the request and then gave no answer within the deadline. */
  | 'acknowledged-only'
  /** ICMP port unreachable: the host is there, nobody listens. */
  | 'port-closed'
  /** No route to the host, network unreachable, no address of ours. */
  | 'no-route'
  /** The server's name cannot be resolved. */
  | 'name-not-found'
  /** The request cannot even be built, such as one with a token too long for a path. */
  | 'unsendable'
  /** There are no credentials and no provisioning pair. */
  | 'no-pair'
  /** The peer answered with a reset: it does not know this conversation. */
  | 'reset'
  /** An answer that is not ThingsBoard's: unknown code, unparsable body, wrong path (4.04/4.05). */
  | 'unintelligible'
  /**
   * Credentials of a type this agent cannot use were issued (3.2): MQTT_BASIC, X509_CERTIFICATE,
   * LWM2M_CREDENTIALS.
   */
  | 'wrong-credentials-type'
  /** Our own disk, not the server: the intent or the token could not be made durable. */
  | 'store-failed'
  /** The agent is stopping. */
  | 'aborted';

export interface Refusal {
  readonly reason: RefusalReason;
  /** What was seen, in a few words: "no answer from 192.0.2.7:5683 in 45 s". */
  readonly detail: string;
}
