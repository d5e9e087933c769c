/**
 * Maps a CoAP response to a result by its code (contract sections 1.1, 3.2, 4.1 and 5): of ThingsBoard, whose errors have
 * neither options nor a payload, or of a proxy in front of it (RFC 7252 section 5.7), whose verdict on the
 * token or a reading does not count. The payload is never quoted: it may echo the request.
 */

import { DEADLINE } from '../../core/async/abort.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import { isAttributesAnswer, parseProvisionAnswer } from '../../core/thingsboard.ts';
import type { CoapResponse } from './client.ts';

/** application/json (RFC 7252 section 12.3): ThingsBoard's format of attributes, unless the request had another. */
const JSON_FORMAT = 50;
/** ThingsBoard's format in the responses to a device whose profile is set to protobuf (contract 4.4). */
const OCTET_STREAM = 42;

export function classifyProvision(response: CoapResponse): ReturnType<typeof parseProvisionAnswer> {
  const { code, body } = response;
  // Only 2.01 and 4.00 carry the JSON with the status (contract section 3.2).
  if (response.isComplete && (code === '2.01' || (code === '4.00' && body.length > 0))) {
    return parseProvisionAnswer(body.toString());
  }
  const failure = classifyError(response);
  // A provisioning request has no token that ThingsBoard could reject.
  const isForeign = failure.reason === 'unauthorized';
  return { type: 'failed', failure: isForeign ? { ...failure, reason: 'request-blocked' } : failure };
}

/** Whether the server accepts the token, or the failure; `unauthorized` if it rejects it. */
export function classifyProbe(response: CoapResponse): true | Failure {
  const { code, contentFormat, body } = response;
  if (code === '2.05' && isAttributesAnswer(body.toString())) return true;
  // ThingsBoard's "no such attribute" has a Content-Format (contract section 5); a server without this path
  // sends 4.04 without one.
  if (code === '4.04' && contentFormat === JSON_FORMAT && body.length === 0) return true;
  return classifyError(response);
}

/** Undefined: accepted. ThingsBoard sends 2.01 without a payload. */
export function classifyPost(response: CoapResponse): Failure | undefined {
  return response.code === '2.01' && response.body.length === 0 ? undefined : classifyError(response);
}

/**
 * Checks the response to a GET of /api/v1/provision, which ThingsBoard answers with a bare 4.00, so that a proxy that
 * answers 4.01 to everything is not taken for it. Undefined: it is ThingsBoard.
 */
export function classifyIdentification(response: CoapResponse): Failure | undefined {
  if (response.code === '4.00' && response.isBare) return undefined;
  const failure = classifyError(response);
  if (!IDENTIFIES_OTHERS.has(failure.reason)) return failure;
  const detail = `response 4.01, and response ${response.code} where ThingsBoard responds 4.00`;
  return { reason: 'request-blocked', detail };
}

const IDENTIFIES_OTHERS: ReadonlySet<Failure['reason']> = new Set([
  'unauthorized',
  'unexpected-response',
  'request-malformed',
]);

/** The part of a response that decides what an error means. */
export interface ErrorResponse {
  readonly code: string;
  readonly isBare: boolean;
  readonly contentFormat?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** For a response that is not the expected one. */
export function classifyError(response: ErrorResponse): Failure {
  const { code, isBare, contentFormat, retryAfterMs } = response;
  const detail = `response ${code}`;
  switch (code) {
    case '4.01':
      return isBare
        ? { reason: 'unauthorized', detail }
        : { reason: 'request-blocked', detail: `${detail} with options or a payload` };
    case '4.00':
      return isBare || contentFormat === OCTET_STREAM
        ? { reason: 'request-malformed', detail }
        : { reason: 'unexpected-response', detail: `${detail} with options or a payload` };
    case '4.03':
      return { reason: 'request-blocked', detail };
    case '4.13':
      return { reason: 'request-malformed', detail: `${detail}, too large` };
    // The server has lost the blocks before this one, for example by a restart.
    case '4.08':
      return { reason: 'server-overloaded', detail };
    // Too Many Requests (RFC 8516); Max-Age is the wait.
    case '4.29':
      return { reason: 'server-overloaded', detail, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    // A proxy cannot reach ThingsBoard (RFC 7252 sections 5.9.3.3 to 5.9.3.5).
    case '5.02':
    case '5.03':
    case '5.04':
      return { reason: 'upstream-unavailable', detail, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    case '5.05':
      return { reason: 'unexpected-response', detail };
    default:
      return { reason: code.startsWith('5.') ? 'server-overloaded' : 'unexpected-response', detail };
  }
}

/** The deadline of the caller is a timeout of the server, which may require a reconnect. */
export function abortToTimeout<T>(result: Result<T>, signal: AbortSignal): Result<T> {
  if (result.ok || result.failure.reason !== 'aborted' || signal.reason !== DEADLINE) return result;
  return { ok: false, failure: { reason: 'server-timeout', detail: 'no response before the deadline' } };
}
