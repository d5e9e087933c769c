/**
 * Reads the small posts of a device: RPC replies, client-side RPC and claims (contract, sections 6 and 7).
 *
 * Each road has its own strictness, and the odd answers are the server's: what is malformed here is a 5.00 there.
 */

import { jsonText } from './json/json-text.ts';
import { parseLenientJson } from './json/lenient-json.ts';
import type { PostAnswer, Via } from './model/types.ts';

/** Over CoAP a reply must be an object, else 5.00; over HTTP any text will do. */
export function readRpcReply(body: string, via: Via): PostAnswer {
  if (via === 'http') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  return parsed.ok && parsed.value.type === 'object' ? { status: 'accepted' } : { status: 'failed' };
}

/** With the default rule chain nobody ever replies to a well-formed one. */
export function readClientRpc(body: string, via: Via): PostAnswer {
  const parsed = parseLenientJson(body);
  if (!parsed.ok || parsed.value.type !== 'object') return { status: 'failed' };
  const { members } = parsed.value;
  const complete = members.has('method') && (via === 'coap' || members.has('params'));
  return complete ? { status: 'silent' } : { status: 'failed' };
}

/** Accepted once queued, even if claiming is not allowed; nothing is claimed here. */
export function readClaim(body: string): PostAnswer {
  if (body === '') return { status: 'accepted' };
  const parsed = parseLenientJson(body);
  if (!parsed.ok) return { status: 'malformed', message: parsed.message };
  if (parsed.value.type === 'object') return { status: 'accepted' };
  return { status: 'malformed', message: `Can't parse value: ${jsonText(parsed.value)}` };
}
