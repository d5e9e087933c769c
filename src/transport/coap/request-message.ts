/**
 * Requests that the agent encodes itself: observations and blocks, whose responses the CoAP library must not see, and the
 * posts of a device, which are the most frequent.
 */

import { generate } from 'coap-packet';
import { type Block, encodeBlock, encodeUint } from './block-option.ts';

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

const JSON_FORMAT = 50;
const BYTES_MAX = 2_048;

/** Throws if it has more than 2,048 bytes. */
export function encodeRequest(request: RequestMessage, messageId: number): Buffer {
  const { method, token, path, observe, block1, block2, size1, payload, isNonConfirmable = false } = request;
  const options: { name: string; value: Buffer }[] = path.map((segment) => ({
    name: 'Uri-Path',
    value: Buffer.from(segment),
  }));
  const add = (name: string, value: Buffer | undefined) => value && options.push({ name, value });
  add('Observe', observe === undefined ? undefined : encodeUint(observe));
  add('Content-Format', payload && encodeUint(JSON_FORMAT));
  add('Block1', block1 && encodeBlock(block1));
  add('Block2', block2 && encodeBlock(block2));
  add('Size1', size1 === undefined ? undefined : encodeUint(size1));
  return generate(
    {
      confirmable: !isNonConfirmable,
      code: method,
      messageId,
      token: Buffer.from(token, 'hex'),
      options,
      ...(payload && { payload }),
    },
    BYTES_MAX,
  );
}
