/**
 * The policy for each failure: retry schedule and log level. The sentence with cause and remedy is in events/failure-sentences.ts.
 */

import type { Schedule } from './backoff.ts';
import type { FailureReason } from './failure.ts';

export interface FailurePolicy {
  /** `warn`: recovers without help; `error`: a person must act. */
  readonly level: 'warn' | 'error';
  readonly schedule: Schedule;
}

/** The server is overloaded. */
const OVERLOAD: Schedule = { baseMs: 5_000, capMs: 5 * 60_000 };
/**
 * The server rejects a token that worked: a person is probably changing something. An agent that may provision again asks
 * sooner, so that it notices a revoked token in time (core/session/revocation.ts).
 */
const AUTH_FAILURE: Schedule = { baseMs: 15_000, capMs: 10 * 60_000 };
/** The disk of the gateway: retried soon, because whoever repairs it waits for the result. */
const STORAGE: Schedule = { baseMs: 10_000, capMs: 10 * 60_000 };
/** A program of the gateway is missing or too old: no question leaves it, and whoever installs it waits for the result. */
const PROGRAM: Schedule = { baseMs: 15_000, capMs: 2 * 60_000 };
/**
 * A person must change something first, on the server, in the network or in the configuration. Whoever has done so waits for the
 * result, so the cap is ten minutes; on average, 20,000 gateways then send 67 requests a second.
 */
const NEEDS_ACTION: Schedule = { baseMs: 60_000, capMs: 10 * 60_000 };

/** The network or the server is not available: retry soon, but not all gateways at once. */
const OUTAGE: Schedule = { baseMs: 2_000, capMs: 2 * 60_000 };
/**
 * This host or the server's kernel says at once that nothing listens, so a question costs the server nothing. About one in 8 s for
 * three minutes: when the server returns, a fleet asks no more often than it posts readings. Then slower, to one in 80 s after 50
 * minutes more.
 */
const CLOSED: Schedule = { baseMs: 2_000, capMs: 2 * 60_000, plateau: { limitMs: 12_000, untilAttempt: 25 } };
/** A program in front of ThingsBoard denies requests: until a person changes it, or its own check ends. */
const BLOCKED: Schedule = { baseMs: 15_000, capMs: 2 * 60_000 };

export const FAILURE_POLICIES = {
  unauthorized: { level: 'error', schedule: AUTH_FAILURE },
  'provisioning-key-unknown': { level: 'error', schedule: NEEDS_ACTION },
  'provisioning-declined': { level: 'error', schedule: NEEDS_ACTION },
  'request-malformed': { level: 'error', schedule: NEEDS_ACTION },
  'server-overloaded': { level: 'warn', schedule: OVERLOAD },
  'server-timeout': { level: 'warn', schedule: OUTAGE },
  'no-response-after-ack': { level: 'warn', schedule: OUTAGE },
  'port-closed': { level: 'warn', schedule: CLOSED },
  'no-route': { level: 'warn', schedule: CLOSED },
  'dns-failed': { level: 'warn', schedule: OUTAGE },
  'connection-reset': { level: 'warn', schedule: OUTAGE },
  'unexpected-response': { level: 'error', schedule: NEEDS_ACTION },
  'request-blocked': { level: 'error', schedule: BLOCKED },
  'upstream-unavailable': { level: 'warn', schedule: OUTAGE },
  'certificate-date-invalid': { level: 'error', schedule: NEEDS_ACTION },
  'clock-wrong': { level: 'warn', schedule: OUTAGE },
  'certificate-name-mismatch': { level: 'error', schedule: NEEDS_ACTION },
  'certificate-untrusted': { level: 'error', schedule: NEEDS_ACTION },
  'certificate-pin-mismatch': { level: 'error', schedule: NEEDS_ACTION },
  'client-certificate-rejected': { level: 'error', schedule: NEEDS_ACTION },
  'tls-version-mismatch': { level: 'error', schedule: NEEDS_ACTION },
  'tls-failed': { level: 'warn', schedule: OUTAGE },
  'dtls-unavailable': { level: 'error', schedule: PROGRAM },
  'dtls-version-mismatch': { level: 'error', schedule: PROGRAM },
  'proxy-unreachable': { level: 'warn', schedule: OUTAGE },
  'proxy-denied': { level: 'error', schedule: NEEDS_ACTION },
  'captive-portal': { level: 'error', schedule: NEEDS_ACTION },
  'redirect-not-followed': { level: 'error', schedule: NEEDS_ACTION },
  'endpoints-inconsistent': { level: 'error', schedule: NEEDS_ACTION },
  'token-unsuitable': { level: 'error', schedule: NEEDS_ACTION },
  'request-build-failed': { level: 'error', schedule: NEEDS_ACTION },
  'provisioning-key-missing': { level: 'error', schedule: NEEDS_ACTION },
  'credentials-type-unsupported': { level: 'error', schedule: NEEDS_ACTION },
  'credentials-storage-failed': { level: 'error', schedule: STORAGE },
  'credentials-unreadable': { level: 'error', schedule: STORAGE },
  'credentials-newer': { level: 'error', schedule: STORAGE },
  aborted: { level: 'warn', schedule: OUTAGE },
} as const satisfies Record<FailureReason, FailurePolicy>;
