/**
 * Validates RPC replies, client-side RPCs and claims (contract sections 6 and 7), as strictly as the real
 * server.
 */

import { jsonText, parseLenientJson } from './json/lenient-json.ts';
import type { PostAnswer, Via } from './model/types.ts';

/** Over CoAP a reply must be an object, else 5.00; over HTTP any text is accepted. */
export function readRpcReply(body: string, via: Via): PostAnswer {
  if (via === 'http') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  return parsed.ok && parsed.value.type === 'object' ? { status: 'accepted' } : { status: 'failed' };
}

/** With the default rule chain a well-formed RPC gets no reply. */
export function readClientRpc(body: string, via: Via): PostAnswer {
  const parsed = parseLenientJson(body);
  if (!parsed.ok || parsed.value.type !== 'object') return { status: 'failed' };
  const { members } = parsed.value;
  const complete = members.has('method') && (via === 'coap' || members.has('params'));
  return complete ? { status: 'silent' } : { status: 'failed' };
}

/** Accepted when queued, even if claiming is not allowed. The sandbox does not claim devices. */
export function readClaim(body: string): PostAnswer {
  if (body === '') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return { status: 'malformed', message: parsed.message };
  if (parsed.value.type === 'object') return { status: 'accepted' };
  return { status: 'malformed', message: `Can't parse value: ${jsonText(parsed.value)}` };
}
