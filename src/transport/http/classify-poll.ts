/** Maps the responses of the downlink over HTTP: long polls, and the read of attributes (contract sections 5 and 8). */

import type { Failure, Result } from '../../core/failures/failure.ts';
import { isJsonObject, type JsonObject } from '../../core/model/json-object.ts';
import { parseMessage } from '../downlink-messages.ts';
import { classifyError, isWebPage } from './classify-response.ts';
import type { HttpResponse } from './response.ts';

export type PollAnswer =
  | { readonly type: 'message'; readonly body: string }
  /** Nothing happened until the timeout of the poll. */
  | { readonly type: 'empty' }
  /** The device was deleted. */
  | { readonly type: 'ended' };

const DELETED_TEXT = 'Device was deleted!';

/** `isEarly`: the response came well before the timeout of the poll. */
export function classifyPoll(response: HttpResponse, isEarly: boolean): Result<PollAnswer> {
  const { status, body } = response;
  if (status === 200 && !isWebPage(response) && parseMessage(body))
    return { ok: true, value: { type: 'message', body } };
  // An early 408 is of a program in front, or ends the poll of a revoked token.
  if (status === 408 && body === '' && !isEarly) return { ok: true, value: { type: 'empty' } };
  if (status === 403 && body === DELETED_TEXT) return { ok: true, value: { type: 'ended' } };
  return { ok: false, failure: failureOf(response) };
}

/** The shared attributes of a response to a read of all attributes; none: an empty object. */
export function classifyAttributes(response: HttpResponse): Result<JsonObject> {
  const scopes = response.status === 200 && !isWebPage(response) ? parseMessage(response.body) : undefined;
  if (scopes && Object.keys(scopes).every((scope) => scope === 'client' || scope === 'shared')) {
    const shared = scopes['shared'] ?? {};
    if (isJsonObject(shared)) return { ok: true, value: shared };
  }
  return { ok: false, failure: failureOf(response) };
}

function failureOf(response: HttpResponse): Failure {
  const failure = classifyError(response);
  return response.isTruncated ? { ...failure, detail: `${failure.detail}, longer than allowed` } : failure;
}
