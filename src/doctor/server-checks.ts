/** Checks with requests of the agent's transport: the token, telemetry, the DTLS handshake, and whether an endpoint is ThingsBoard. */

import { splitSentence } from '../core/events/catalogue.ts';
import { FAILURE_SENTENCES } from '../core/events/failure-sentences.ts';
import type { Failure, Result } from '../core/failures/failure.ts';
import { type Check, type CheckResult, fail, pass, skip } from './check.ts';

/** `probe` verifies the credentials on the server, or is the reason why there are none. */
export function tokenCheck(
  probe: ((signal: AbortSignal) => Promise<Result<boolean>>) | string,
  name: 'token' | 'client certificate' = 'token',
): Check {
  return {
    name,
    timeoutResult: TIMED_OUT,
    async run(signal) {
      if (typeof probe === 'string') return skip(probe);
      const result = await probe(signal);
      if (result.ok && result.value) return pass('the server accepts it');
      const reason = result.ok ? 'unauthorized' : result.failure.reason;
      const { cause, remedy } = splitSentence(FAILURE_SENTENCES[reason]);
      return fail(result.ok ? 'the server responds: unauthorized' : result.failure.detail, cause, remedy);
    },
  };
}

/** Checks an endpoint over TCP or DTLS, including TLS: `probe` sends an unknown token, which ThingsBoard rejects. */
export function endpointCheck(name: string, probe: (signal: AbortSignal) => Promise<Result<boolean>>): Check {
  return {
    name,
    timeoutResult: TIMED_OUT,
    async run(signal) {
      const result = await probe(signal);
      return result.ok ? pass('responds like ThingsBoard') : failedResult(result.failure);
    },
  };
}

/** Checks that the server and this host agree on an encrypted link; `shakeHands` resolves with what it found. */
export function handshakeCheck(shakeHands: (signal: AbortSignal) => Promise<Result<string>>): Check {
  return {
    name: 'DTLS handshake',
    timeoutResult: TIMED_OUT,
    async run(signal) {
      const result = await shakeHands(signal);
      return result.ok ? pass(result.value) : failedResult(result.failure);
    },
  };
}

function failedResult({ reason, detail }: Failure): CheckResult {
  const { cause, remedy } = splitSentence(FAILURE_SENTENCES[reason]);
  return fail(detail, cause, remedy);
}

const { cause: TIMEOUT_CAUSE, remedy: TIMEOUT_REMEDY } = splitSentence(FAILURE_SENTENCES['server-timeout']);
const TIMED_OUT = fail('no response in 15 s', TIMEOUT_CAUSE, TIMEOUT_REMEDY);

/** Posts a test value; only on request (`--telemetry`). */
export function telemetryCheck(post: (signal: AbortSignal) => Promise<Result<void>>): Check {
  return {
    name: 'telemetry',
    async run(signal) {
      const result = await post(signal);
      if (result.ok) return pass('the server accepted firstlightDoctorTest');
      const { cause, remedy } = splitSentence(FAILURE_SENTENCES[result.failure.reason]);
      return fail(result.failure.detail, cause, remedy);
    },
  };
}
