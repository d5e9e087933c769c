/**
 * What an HTTP answer means: ThingsBoard's own words (contract sections 3.2, 4.1, 5 and 8), or somebody else's.
 *
 * The same status means different things in different mouths: 500 with a text is "malformed", 500 without one an outage, and
 * 401 counts as the server's verdict on our token only when it comes as ThingsBoard sends it, because five of them
 * make the gateway provision anew. A server's text is never quoted: it may echo the request, secret included (3.6).
 */

import type { Failure, FailureReason } from '../../core/failures/failure.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';
import { parseProvisionAnswer } from '../../core/thingsboard.ts';
import type { HttpResponse } from './response.ts';

export function classifyProvision(response: HttpResponse): ReturnType<typeof parseProvisionAnswer> {
  if (response.status === 200 && !isWebPage(response)) return parseProvisionAnswer(response.body);
  const failure = classifyError(response);
  // Malformed JSON and missing members come with the error object, an outage with nothing (contract 3.2).
  const isMalformed = response.status === 500 && parseJsonObject(response.body) !== undefined;
  return {
    type: 'failed',
    failure: isMalformed ? { reason: 'request-malformed', detail: failure.detail } : failure,
  };
}

/** True or false for "ours" and "not ours"; a refusal when it says neither. */
export function classifyProbe(response: HttpResponse): boolean | Failure {
  if (response.status === 200 && isAttributes(response.body)) return true;
  const failure = classifyError(response);
  return failure.reason === 'unauthorized' ? false : failure;
}

/** Undefined: accepted. That is 200 without a body; with one it is somebody else who is content. */
export function classifyPost(response: HttpResponse): Failure | undefined {
  return response.status === 200 && response.body === '' ? undefined : classifyError(response);
}

function classifyError(response: HttpResponse): Failure {
  const failure = isWebPage(response) ? classifyHtml(response) : classifyApiError(response);
  const { retryAfterMs } = response;
  return retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
}

/** An answer without a page: ThingsBoard's, or that of a program that thinks of programs. */
function classifyApiError(response: HttpResponse): Failure {
  const { status, body, contentType, requiresLogin: asksForLogin } = response;
  const detail = describe(response);
  const failureOf = (reason: FailureReason, more = ''): Failure => ({ reason, detail: `${detail}${more}` });
  switch (status) {
    case 401:
      return asksForLogin
        ? failureOf('unexpected-response', ', which asks for a log-in')
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
    // Somebody in front has not passed it on: 425 is RFC 8470.
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
 * ThingsBoard's device API never answers with a page. nginx has its own status and words for two slips of ours; a proxy
 * that lets nobody through says so with a page of 403 as a rule.
 */
function classifyHtml(response: HttpResponse): Failure {
  const { status, body, proxy } = response;
  const detail = `${describe(response)} with a web page`;
  if (status === 400 && /SSL certificate/i.test(body))
    return { reason: 'client-certificate-rejected', detail };
  if (status === 400 && /HTTPS port/i.test(body)) {
    return {
      reason: 'unexpected-response',
      detail: `${detail}: the port speaks TLS, so server.url needs https`,
    };
  }
  if (status === 429) return { reason: 'server-overloaded', detail };
  if (status === 407 || (status === 403 && proxy)) return { reason: 'proxy-denied', detail };
  if (status === 408 || status === 425 || status === 500 || isOutage(status))
    return { reason: 'upstream-unavailable', detail };
  const isCaptivePortal = status < 400 || status === 511;
  return { reason: isCaptivePortal ? 'captive-portal' : 'unexpected-response', detail };
}

/** Also those of content networks, 520 to 530, which no document numbers. Not ours: not implemented, no such version, log in. */
function isOutage(status: number): boolean {
  return status >= 502 && status !== 505 && status !== 511;
}

function describe({ status, proxy }: HttpResponse): string {
  return proxy === undefined ? `answer ${status}` : `answer ${status} by way of ${proxy}`;
}

function isWebPage({ body, contentType }: HttpResponse): boolean {
  return contentType.includes('html') || /^\s*<(!doctype|html)/i.test(body);
}

function isAttributes(body: string): boolean {
  const attributes = parseJsonObject(body);
  return (
    attributes !== undefined &&
    Object.keys(attributes).every((scope) => scope === 'client' || scope === 'shared')
  );
}
