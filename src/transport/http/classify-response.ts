/**
 * What an HTTP answer means: ThingsBoard's own words (contract sections 3.2, 4.1, 5 and 8), or somebody else's.
 *
 * The same status means different things in different mouths: 500 with a text is "malformed", 500 without one an outage, and
 * 401 counts as the server's verdict on our token only when it comes as ThingsBoard sends it, because five of them
 * make the gateway provision anew. A server's text is never quoted: it may echo the request, secret included (3.6).
 */

import type { Refusal, RefusalReason } from '../../core/failures/failure.ts';
import { parseJsonObject } from '../../core/model/json-object.ts';
import { parseProvisionAnswer } from '../../core/thingsboard.ts';
import type { HttpAnswer } from './response.ts';

export function judgeProvision(answer: HttpAnswer): ReturnType<typeof parseProvisionAnswer> {
  if (answer.status === 200 && !isWebPage(answer)) return parseProvisionAnswer(answer.body);
  const refusal = judgeError(answer);
  // Malformed JSON and missing members come with the error object, an outage with nothing (contract 3.2).
  const isMalformed = answer.status === 500 && parseJsonObject(answer.body) !== undefined;
  return {
    type: 'refused',
    refusal: isMalformed ? { reason: 'malformed', detail: refusal.detail } : refusal,
  };
}

/** True or false for "ours" and "not ours"; a refusal when it says neither. */
export function judgeProbe(answer: HttpAnswer): boolean | Refusal {
  if (answer.status === 200 && isAttributes(answer.body)) return true;
  const refusal = judgeError(answer);
  return refusal.reason === 'unauthorized' ? false : refusal;
}

/** Undefined: accepted. That is 200 without a body; with one it is somebody else who is content. */
export function judgePost(answer: HttpAnswer): Refusal | undefined {
  return answer.status === 200 && answer.body === '' ? undefined : judgeError(answer);
}

function judgeError(answer: HttpAnswer): Refusal {
  const refusal = isWebPage(answer) ? judgePage(answer) : judgeWords(answer);
  const { retryAfterMs } = answer;
  return retryAfterMs === undefined ? refusal : { ...refusal, retryAfterMs };
}

/** An answer without a page: ThingsBoard's, or that of a program that thinks of programs. */
function judgeWords(answer: HttpAnswer): Refusal {
  const { status, body, contentType, asksForLogin } = answer;
  const detail = seen(answer);
  const because = (reason: RefusalReason, more = ''): Refusal => ({ reason, detail: `${detail}${more}` });
  switch (status) {
    case 401:
      return asksForLogin ? because('unintelligible', ', which asks for a log-in') : because('unauthorized');
    case 400:
      return because('malformed');
    case 407:
      return because('proxy-refused');
    case 413:
      return because('malformed', ', too large');
    case 429:
      return because('overloaded');
    case 500: {
      const isTold = body !== '' && parseJsonObject(body) === undefined && !contentType.includes('json');
      return because(isTold ? 'malformed' : 'overloaded');
    }
    case 503:
      return because(parseJsonObject(body) !== undefined ? 'overloaded' : 'upstream-away');
    // Somebody in front has not passed it on: 425 is RFC 8470.
    case 408:
    case 425:
      return because('upstream-away');
    case 511:
      return because('captive-portal');
    default:
      return because(isOutage(status) ? 'upstream-away' : 'unintelligible');
  }
}

/**
 * ThingsBoard's device API never answers with a page. nginx has its own status and words for two slips of ours; a proxy
 * that lets nobody through says so with a page of 403 as a rule.
 */
function judgePage(answer: HttpAnswer): Refusal {
  const { status, body, proxy } = answer;
  const detail = `${seen(answer)} with a web page`;
  if (status === 400 && /SSL certificate/i.test(body)) return { reason: 'client-certificate', detail };
  if (status === 400 && /HTTPS port/i.test(body)) {
    return { reason: 'unintelligible', detail: `${detail}: the port speaks TLS, so server.url needs https` };
  }
  if (status === 429) return { reason: 'overloaded', detail };
  if (status === 407 || (status === 403 && proxy)) return { reason: 'proxy-refused', detail };
  if (status === 408 || status === 425 || status === 500 || isOutage(status))
    return { reason: 'upstream-away', detail };
  const isPortal = status < 400 || status === 511;
  return { reason: isPortal ? 'captive-portal' : 'unintelligible', detail };
}

/** Also those of content networks, 520 to 530, which no document numbers. Not ours: not implemented, no such version, log in. */
function isOutage(status: number): boolean {
  return status >= 502 && status !== 505 && status !== 511;
}

function seen({ status, proxy }: HttpAnswer): string {
  return proxy === undefined ? `answer ${status}` : `answer ${status} by way of ${proxy}`;
}

function isWebPage({ body, contentType }: HttpAnswer): boolean {
  return contentType.includes('html') || /^\s*<(!doctype|html)/i.test(body);
}

function isAttributes(body: string): boolean {
  const found = parseJsonObject(body);
  return found !== undefined && Object.keys(found).every((scope) => scope === 'client' || scope === 'shared');
}
