/**
 * Maps an HTTP response to a result: of ThingsBoard (contract sections 3.2, 4.1, 5, 8 and 14), or of a program in
 * front of it (proxy, firewall, CDN, API gateway). A verdict on the token or on a reading counts only in
 * ThingsBoard's own form, because it starts provisioning again or discards the reading. The body is never
 * quoted: it may echo the request with the secret (3.6).
 */

import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';
import { isAttributesAnswer, parseProvisionAnswer } from '../../core/thingsboard.ts';
import { type HttpResponse, isQueueTimeout } from './response.ts';

export function classifyProvision(response: HttpResponse): ReturnType<typeof parseProvisionAnswer> {
  if (response.status === 200 && !isWebPage(response)) return parseProvisionAnswer(response.body);
  const failure = classifyError(response);
  // ThingsBoard sends an error object for malformed JSON and missing members, no body in an outage (contract
  // section 3.2). A provisioning request has no token that it could reject.
  const isMalformed = response.status === 500 && isThingsBoardError(response);
  if (isMalformed) return { type: 'failed', failure: { ...failure, reason: 'request-malformed' } };
  if (failure.reason !== 'unauthorized') return { type: 'failed', failure };
  return { type: 'failed', failure: { ...failure, reason: 'request-blocked' } };
}

/** Whether the server accepts the token, or the failure; `unauthorized` if it rejects it. */
export function classifyProbe(response: HttpResponse): true | Failure {
  return response.status === 200 && isAttributesAnswer(response.body) ? true : classifyError(response);
}

/** Undefined: accepted. ThingsBoard sends 200 without a body; a body comes from another program. */
export function classifyPost(response: HttpResponse): Failure | undefined {
  return response.status === 200 && response.body === '' ? undefined : classifyError(response);
}

/**
 * Checks the response to a GET of /api/v1/provision, which only ThingsBoard answers with 405 and an error object, so
 * that an API gateway that answers 401 to everything is not taken for it. Undefined: it is ThingsBoard.
 */
export function classifyIdentification(response: HttpResponse): Failure | undefined {
  if (response.status === 405 && isThingsBoardError(response)) return undefined;
  const failure = classifyError(response);
  if (failure.reason !== 'unauthorized' && failure.reason !== 'unexpected-response') return failure;
  const detail = `response 401, and ${describe(response)} where ThingsBoard responds 405`;
  return { reason: 'request-blocked', detail };
}

/** For a response that is not the expected one. */
export function classifyError(response: HttpResponse): Failure {
  const failure = isWebPage(response) ? classifyHtml(response) : classifyApiError(response);
  const { retryAfterMs } = response;
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

/** A response that is not a web page: of ThingsBoard, or of a proxy or API in front of it. */
function classifyApiError(response: HttpResponse): Failure {
  const { status, body } = response;
  const failureOf = (reason: FailureReason, more = ''): Failure => ({
    reason,
    detail: `${describe(response)}${more}`,
  });
  switch (status) {
    case 401:
      return classify401(response);
    case 400:
      return failureOf(isThingsBoardError(response) ? 'request-malformed' : 'request-blocked');
    case 403: {
      const code = /^error code: (\d{3,5})\s*$/.exec(body)?.[1];
      return failureOf('request-blocked', code === undefined ? '' : ` with error code ${code}`);
    }
    case 406:
    case 451:
      return failureOf('request-blocked');
    case 407:
      return failureOf('proxy-denied');
    case 413:
      return failureOf(isPayloadLimit(body) ? 'request-malformed' : 'request-blocked', ', too large');
    case 429:
      return failureOf('server-overloaded');
    case 500:
      return failureOf(isParserMessage(response) ? 'request-malformed' : 'server-overloaded');
    case 503:
      return failureOf(parseJsonObject(body) !== undefined ? 'server-overloaded' : 'upstream-unavailable');
    case 408:
      return failureOf(isQueueTimeout(response) ? 'server-overloaded' : 'upstream-unavailable');
    // A program in front of ThingsBoard did not forward the request (RFC 8470).
    case 425:
      return failureOf('upstream-unavailable');
    case 511:
      return failureOf('captive-portal');
    default:
      return failureOf(isOutage(status) ? 'upstream-unavailable' : 'unexpected-response');
  }
}

/** ThingsBoard's 401 has neither a body nor WWW-Authenticate. */
function classify401(response: HttpResponse): Failure {
  const detail = describe(response);
  if (response.requiresLogin)
    return { reason: 'request-blocked', detail: `${detail}, which requires a login` };
  return response.body === ''
    ? { reason: 'unauthorized', detail }
    : { reason: 'request-blocked', detail: `${detail} with a body, which ThingsBoard does not send` };
}

/**
 * A web page: never ThingsBoard's device API. nginx reports two configuration errors with 400 and a fixed
 * text; a forward proxy usually denies access with a 403 page.
 */
function classifyHtml(response: HttpResponse): Failure {
  const { status, body, proxy } = response;
  const detail = `${describe(response)} with a web page`;
  if (status === 400 && /SSL certificate/i.test(body))
    return { reason: 'client-certificate-rejected', detail };
  if (status === 400 && /HTTPS port/i.test(body)) {
    return {
      reason: 'unexpected-response',
      detail: `${detail}: the port requires TLS, so server.url must start with https`,
    };
  }
  if (status === 429) return { reason: 'server-overloaded', detail };
  if (status === 407 || (status === 403 && proxy)) return { reason: 'proxy-denied', detail };
  if (BLOCKED_STATUSES.has(status)) return { reason: 'request-blocked', detail };
  if (status === 408 || status === 425 || status === 500 || isOutage(status))
    return { reason: 'upstream-unavailable', detail };
  const isCaptivePortal = status < 400 || status === 511;
  return { reason: isCaptivePortal ? 'captive-portal' : 'unexpected-response', detail };
}

const BLOCKED_STATUSES: ReadonlySet<number> = new Set([400, 401, 403, 406, 413, 451]);

/**
 * Includes 520 to 530 of content delivery networks, which are not standardised. 501, 505 and 511 are no
 * outages.
 */
function isOutage(status: number): boolean {
  return status >= 502 && status !== 505 && status !== 511;
}

function describe({ status, proxy, serverName }: HttpResponse): string {
  const name = serverName === undefined ? '' : ` of ${serverName}`;
  return proxy === undefined ? `response ${status}${name}` : `response ${status}${name} through ${proxy}`;
}

export function isWebPage({ body, contentType }: HttpResponse): boolean {
  return contentType.includes('html') || /^\s*<(!doctype|html)/i.test(body);
}

/** ThingsBoard's error object (contract section 3.6), or Spring Boot's, which its HTTP microservice sends. */
function isThingsBoardError({ status, body }: HttpResponse): boolean {
  const error = parseJsonObject(body);
  if (error?.['status'] !== status || error['timestamp'] === undefined) return false;
  return typeof error['errorCode'] === 'number' || typeof error['path'] === 'string';
}

/** The parser's message for a malformed body is text; so is the phrase of the status, of other programs. */
function isParserMessage({ body, contentType }: HttpResponse): boolean {
  if (body === '' || parseJsonObject(body) !== undefined || contentType.includes('json')) return false;
  return !/^\s*internal server error\W*$/i.test(body);
}

/** A JSON string (contract section 8). */
function isPayloadLimit(body: string): boolean {
  return body.startsWith('"Payload size exceeds the limit');
}
