/**
 * Requests that the agent encodes itself: observations and blocks, whose responses the CoAP library must not see, and the
 * posts of a device, which are the most frequent.
 */

import { type Block, blockValue } from './block-option.ts';
import { MessageWriter } from './message-writer.ts';

export interface RequestMessage {
  readonly method: 'GET' | 'POST';
  /** Lower-case hex, at most 8 bytes. */
  readonly token: string;
  /** Each becomes one Uri-Path option. */
  readonly path: readonly string[];
  /** 0 registers, 1 cancels (RFC 7641 section 2). */
  readonly observe?: 0 | 1;
  readonly block1?: Block;
  readonly block2?: Block;
  /** Bytes of the whole body of which this message carries a block. */
  readonly size1?: number;
  /** JSON; sent with Content-Format 50. */
  readonly payload?: Buffer;
  /** Default: confirmable. */
  readonly isNonConfirmable?: boolean;
}

const CODES = { GET: 1, POST: 2 } as const;
/** RFC 7252 section 12.2, RFC 7641 section 7, RFC 7959 section 6. */
const OPTIONS = { observe: 6, uriPath: 11, contentFormat: 12, block2: 23, block1: 27, size1: 60 } as const;
const JSON_FORMAT = 50;

/** Throws a RangeError if it has more than 2,048 bytes. */
export function encodeRequest(request: RequestMessage, messageId: number): Buffer {
  const { method, token, path, observe, block1, block2, size1, payload, isNonConfirmable = false } = request;
  const header = { isConfirmable: !isNonConfirmable, code: CODES[method], messageId, token };
  const writer = new MessageWriter(header);
  if (observe !== undefined) writer.addUint(OPTIONS.observe, observe);
  for (const segment of path) writer.addText(OPTIONS.uriPath, segment);
  if (payload) writer.addUint(OPTIONS.contentFormat, JSON_FORMAT);
  if (block2) writer.addUint(OPTIONS.block2, blockValue(block2));
  if (block1) writer.addUint(OPTIONS.block1, blockValue(block1));
  if (size1 !== undefined) writer.addUint(OPTIONS.size1, size1);
  return writer.finish(payload);
}
