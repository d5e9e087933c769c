/**
 * Maps an HTTP response to a result: of ThingsBoard (contract sections 3.2, 4.1, 5 and 8) or of a program in
 * front of it. ThingsBoard's 500 with a text means "malformed", without one an outage. A 401 counts only in
 * ThingsBoard's own form, because five of them start provisioning again. The body is never quoted: it may
 * echo the request with the secret (3.6).
 */

import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';
import { parseProvisionAnswer } from '../../core/thingsboard.ts';
import type { HttpResponse } from './response.ts';

export function classifyProvision(response: HttpResponse): ReturnType<typeof parseProvisionAnswer> {
  if (response.status === 200 && !isWebPage(response)) return parseProvisionAnswer(response.body);
  const failure = classifyError(response);
  // ThingsBoard sends an error object for malformed JSON and missing members, no body in an outage (contract
  // section 3.2).
  const isMalformed = response.status === 500 && parseJsonObject(response.body) !== undefined;
  return {
    type: 'failed',
    failure: isMalformed ? { reason: 'request-malformed', detail: failure.detail } : failure,
  };
}

/** Whether the server accepts the token, or the failure. */
export function classifyProbe(response: HttpResponse): boolean | Failure {
  if (response.status === 200 && isAttributes(response.body)) return true;
  const failure = classifyError(response);
  return failure.reason === 'unauthorized' ? false : failure;
}

/** Undefined: accepted. ThingsBoard sends 200 without a body; a body comes from another program. */
export function classifyPost(response: HttpResponse): Failure | undefined {
  return response.status === 200 && response.body === '' ? undefined : classifyError(response);
}

/** For a response that is not the expected one. */
export function classifyError(response: HttpResponse): Failure {
  const failure = isWebPage(response) ? classifyHtml(response) : classifyApiError(response);
  const { retryAfterMs } = response;
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

/** A response that is not a web page: of ThingsBoard, or of a proxy or API in front of it. */
function classifyApiError(response: HttpResponse): Failure {
  const { status, body, contentType, requiresLogin } = response;
  const detail = describe(response);
  const failureOf = (reason: FailureReason, more = ''): Failure => ({ reason, detail: `${detail}${more}` });
  switch (status) {
    case 401:
      return requiresLogin
        ? failureOf('unexpected-response', ', which requires a login')
        : failureOf('unauthorized');
    case 400:
      return failureOf('request-malformed');
    case 407:
      return failureOf('proxy-denied');
    case 413:
      return failureOf('request-malformed', ', too large');
    case 429:
      return failureOf('server-overloaded');
    case 500: {
      const hasPlainText =
        body !== '' && parseJsonObject(body) === undefined && !contentType.includes('json');
      return failureOf(hasPlainText ? 'request-malformed' : 'server-overloaded');
    }
    case 503:
      return failureOf(parseJsonObject(body) !== undefined ? 'server-overloaded' : 'upstream-unavailable');
    // A program in front of ThingsBoard did not forward the request; 425 is RFC 8470.
    case 408:
    case 425:
      return failureOf('upstream-unavailable');
    case 511:
      return failureOf('captive-portal');
    default:
      return failureOf(isOutage(status) ? 'upstream-unavailable' : 'unexpected-response');
  }
}

/**
 * A web page: never ThingsBoard's device API. nginx reports two configuration errors with 400 and a fixed
 * text; a proxy usually denies access with a 403 page.
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
  if (status === 408 || status === 425 || status === 500 || isOutage(status))
    return { reason: 'upstream-unavailable', detail };
  const isCaptivePortal = status < 400 || status === 511;
  return { reason: isCaptivePortal ? 'captive-portal' : 'unexpected-response', detail };
}

/**
 * Includes 520 to 530 of content delivery networks, which are not standardised. 501, 505 and 511 are no
 * outages.
 */
function isOutage(status: number): boolean {
  return status >= 502 && status !== 505 && status !== 511;
}

function describe({ status, proxy }: HttpResponse): string {
  return proxy === undefined ? `response ${status}` : `response ${status} through ${proxy}`;
}

export function isWebPage({ body, contentType }: HttpResponse): boolean {
  return contentType.includes('html') || /^\s*<(!doctype|html)/i.test(body);
}

function isAttributes(body: string): boolean {
  const attributes = parseJsonObject(body);
  return (
    attributes !== undefined &&
    Object.keys(attributes).every((scope) => scope === 'client' || scope === 'shared')
  );
}
