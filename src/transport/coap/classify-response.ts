/** Maps a CoAP response to a result (contract sections 1.1 and 3.2). */

import { DEADLINE } from '../../core/async/abort.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import { parseProvisionAnswer } from '../../core/thingsboard.ts';
import type { CoapResponse } from './client.ts';

export function classifyProvision(response: CoapResponse): ReturnType<typeof parseProvisionAnswer> {
  const { code, body } = response;
  // Only 2.01 and 4.00 carry the JSON with the status (contract section 3.2).
  if (response.isComplete && (code === '2.01' || (code === '4.00' && body.length > 0))) {
    return parseProvisionAnswer(body.toString());
  }
  return { type: 'failed', failure: classifyError(response) };
}

/** By the code (contract section 1.1). The body is not quoted, because it may echo the request. */
export function classifyError({ code }: Pick<CoapResponse, 'code'>): Failure {
  const detail = `response ${code}`;
  if (code === '4.01') return { reason: 'unauthorized', detail };
  if (code === '4.00') return { reason: 'request-malformed', detail };
  if (code === '4.13') return { reason: 'request-malformed', detail: `${detail}, too large` };
  // The server has lost the blocks before this one, for example by a restart.
  if (code === '4.08') return { reason: 'server-overloaded', detail };
  if (code.startsWith('5.')) return { reason: 'server-overloaded', detail };
  return { reason: 'unexpected-response', detail };
}

/** The deadline of the caller is a timeout of the server, which may require a reconnect. */
export function abortToTimeout<T>(result: Result<T>, signal: AbortSignal): Result<T> {
  if (result.ok || result.failure.reason !== 'aborted' || signal.reason !== DEADLINE) return result;
  return { ok: false, failure: { reason: 'server-timeout', detail: 'no response before the deadline' } };
}
