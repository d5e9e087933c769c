/** One policy for each failure reason, with a remedy in the sentence and a suitable schedule. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { WAIT_MIN_MS } from '../../../src/core/failures/backoff.ts';
import type { FailureReason } from '../../../src/core/failures/failure.ts';
import { FAILURE_POLICIES, type FailurePolicy } from '../../../src/core/failures/policies.ts';

/** Every reason of refusal.ts; the compiler refuses this table when one is missing or unknown. */
const LEVELS = {
  unauthorized: 'error',
  'provisioning-key-unknown': 'error',
  'provisioning-declined': 'error',
  'request-malformed': 'error',
  'server-overloaded': 'warn',
  'server-timeout': 'warn',
  'no-response-after-ack': 'warn',
  'port-closed': 'warn',
  'no-route': 'warn',
  'dns-failed': 'warn',
  'connection-reset': 'warn',
  'unexpected-response': 'error',
  'request-blocked': 'error',
  'upstream-unavailable': 'warn',
  'certificate-date-invalid': 'error',
  'clock-wrong': 'warn',
  'certificate-name-mismatch': 'error',
  'certificate-untrusted': 'error',
  'certificate-pin-mismatch': 'error',
  'client-certificate-rejected': 'error',
  'tls-version-mismatch': 'error',
  'tls-failed': 'warn',
  'dtls-unavailable': 'error',
  'dtls-version-mismatch': 'error',
  'proxy-unreachable': 'warn',
  'proxy-denied': 'error',
  'captive-portal': 'error',
  'redirect-not-followed': 'error',
  'endpoints-inconsistent': 'error',
  'token-unsuitable': 'error',
  'request-build-failed': 'error',
  'provisioning-key-missing': 'error',
  'credentials-type-unsupported': 'error',
  'credentials-storage-failed': 'error',
  'credentials-unreadable': 'error',
  'credentials-newer': 'error',
  aborted: 'warn',
} as const satisfies Record<FailureReason, FailurePolicy['level']>;

const ROWS = Object.entries(FAILURE_POLICIES) as [FailureReason, FailurePolicy][];

const HOUR_MS = 3_600_000;

it('each failure reason has a policy with its level', () => {
  assert.deepEqual(Object.fromEntries(ROWS.map(([reason, { level }]) => [reason, level])), LEVELS);
});

it('failures that need a person are retried less often than others', () => {
  const baseMs = (level: FailurePolicy['level']) =>
    ROWS.filter(([, row]) => row.level === level).map(([, row]) => row.schedule.baseMs);
  assert.ok(Math.min(...baseMs('error')) > Math.max(...baseMs('warn')));
});

it('each retry schedule starts above the floor, grows and is at most an hour', () => {
  for (const [reason, { schedule }] of ROWS) {
    assert.ok(schedule.baseMs > WAIT_MIN_MS, reason);
    assert.ok(schedule.capMs > schedule.baseMs, reason);
    assert.ok(schedule.capMs <= HOUR_MS, reason);
  }
});

it('the end of an outage is noticed within two minutes', () => {
  const outages = [
    'server-timeout',
    'no-response-after-ack',
    'port-closed',
    'no-route',
    'dns-failed',
    'connection-reset',
  ] as const;
  for (const reason of outages) assert.ok(FAILURE_POLICIES[reason].schedule.capMs <= 120_000, reason);
});

it('a helper program that was installed is noticed within two minutes', () => {
  assert.ok(FAILURE_POLICIES['dtls-unavailable'].schedule.capMs <= 120_000);
});

it('a failure that needs a change on the server is retried after a minute or more', () => {
  for (const reason of [
    'provisioning-key-unknown',
    'provisioning-declined',
    'request-malformed',
    'unexpected-response',
  ] as const) {
    assert.ok(FAILURE_POLICIES[reason].schedule.baseMs >= 60_000, reason);
  }
});
