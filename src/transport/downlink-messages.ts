/**
 * Parses what ThingsBoard sends to a device: shared attributes and commands, in the same JSON over CoAP and
 * HTTP (contract sections 5, 6 and 8). Never throws. Undefined means: not a message of ThingsBoard.
 */

import type { Failure } from '../core/failures/failure.ts';
import { type JsonObject, parseJsonObject } from '../core/model/json-object.ts';
import type { AttributeUpdate, Command } from '../core/ports/downlink.ts';

/** Longer messages are not read, bytes. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/** The longest reply that the server accepts over HTTP, bytes (contract section 8). */
const REPLY_BYTES_MAX = 65_536;
/** Deeper values would exhaust the stack of `JSON.stringify`. */
const NESTING_MAX = 64;

/** The response to a registration or a read: all shared attributes. */
export function parseAllAttributes(text: string): AttributeUpdate | undefined {
  const values = parseMessage(text);
  return values && { is: 'all', values };
}

/**
 * A notification: changed attributes, or `{"deleted": [keys]}`; both in one message only after a power-saving
 * pause. The server cannot distinguish a shared attribute that is called `deleted`.
 */
export function parseAttributeNotification(text: string): readonly AttributeUpdate[] | undefined {
  const message = parseMessage(text);
  if (!message) return undefined;
  const { deleted, ...values } = message;
  if (!isKeyList(deleted)) return [{ is: 'changed', values: message }];
  const deletion: AttributeUpdate = { is: 'deleted', keys: deleted };
  return Object.keys(values).length === 0 ? [deletion] : [{ is: 'changed', values }, deletion];
}

export function parseCommand(text: string): Command | undefined {
  const message = parseMessage(text);
  if (!message) return undefined;
  const { id, method, params = null } = message;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || typeof method !== 'string') return undefined;
  return { id, method, params };
}

/** Why the body of a reply cannot be posted; undefined if it can. */
export function replyFailure(body: string): Failure | undefined {
  const bytes = Buffer.byteLength(body);
  if (bytes <= REPLY_BYTES_MAX) return undefined;
  return {
    reason: 'request-build-failed',
    detail: `the reply has ${bytes} bytes; the server accepts at most ${REPLY_BYTES_MAX}`,
  };
}

/** Undefined if `text` is not a JSON object, is too long or too deep. */
export function parseMessage(text: string): JsonObject | undefined {
  if (text.length > MESSAGE_BYTES_MAX || nestingOf(text) > NESTING_MAX) return undefined;
  return parseJsonObject(text);
}

function isKeyList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((key) => typeof key === 'string');
}

/** The number of nested objects and arrays, if `text` is JSON. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isString && character === '\\') at += 1;
    else if (character === '"') isString = !isString;
    else if (!isString && (character === '[' || character === '{')) depth += 1;
    else if (!isString && (character === ']' || character === '}')) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
