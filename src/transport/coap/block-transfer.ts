/**
 * Sends and fetches bodies in blocks (RFC 7959), one block at a time. The server keeps a transfer by peer and path,
 * so two transfers with one path must not overlap (contract section 2).
 */

import type { Result } from '../../core/failures/failure.ts';
import { MESSAGE_BYTES_MAX } from '../downlink-messages.ts';
import { type Block, blockBytes, SIZE_EXPONENT_MAX } from './block-option.ts';
import type { ResponseMessage } from './datagram.ts';
import type { RequestMessage } from './request-message.ts';

/** Sends one confirmable request with a new token. */
export type SendRequest = (request: Omit<RequestMessage, 'token'>) => Promise<Result<ResponseMessage>>;

/** Bodies up to this size need no blocks, if the transport does not limit them more, bytes. */
export const BLOCK_BYTES_MAX = blockBytes(SIZE_EXPONENT_MAX);
/** How often a transfer starts again because the server has lost it or wants smaller blocks. */
const RESTARTS_MAX = 3;

/** Posts a JSON body, in blocks of `blockBytesMax` if it is longer (a power of two); returns the response to its last block, or the first response that ends the transfer. */
export async function postInBlocks(
  send: SendRequest,
  path: readonly string[],
  body: Buffer,
  blockBytesMax: number = BLOCK_BYTES_MAX,
): Promise<Result<ResponseMessage>> {
  if (body.length <= blockBytesMax) return send({ method: 'POST', path, payload: body });
  let sizeExponent = Math.log2(blockBytesMax) - 4;
  let offset = 0;
  let restarts = 0;
  for (;;) {
    const payload = body.subarray(offset, offset + blockBytes(sizeExponent));
    const hasMore = offset + payload.length < body.length;
    const block1: Block = { number: offset / blockBytes(sizeExponent), hasMore, sizeExponent };
    const size1 = offset === 0 ? { size1: body.length } : {};
    const result = await send({ method: 'POST', path, block1, ...size1, payload });
    if (!result.ok) return result;
    const { code, block1: echo } = result.value;
    const wantedExponent = Math.min(sizeExponent, echo?.sizeExponent ?? sizeExponent);
    if (code === '2.31') {
      if (!hasMore || echo?.number !== block1.number) return fail('response 2.31 to another block than sent');
      offset += payload.length;
    } else if (
      restarts < RESTARTS_MAX &&
      (code === '4.08' || (code === '4.13' && wantedExponent < sizeExponent))
    ) {
      restarts += 1;
      offset = 0;
    } else return result;
    // The server may ask for smaller blocks at any time (section 2.3); the offset is a multiple of each.
    sizeExponent = wantedExponent;
  }
}

/** The whole body of which `first` is the first block. */
export async function fetchRemainingBlocks(
  send: SendRequest,
  path: readonly string[],
  first: ResponseMessage,
): Promise<Result<Buffer>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  let message = first;
  for (let number = 0; ; number += 1) {
    const { code, payload, block2 } = message;
    const isExpected =
      code === '2.05' && block2?.number === number && block2.sizeExponent === first.block2?.sizeExponent;
    if (!isExpected) return fail(`response ${code} to the request for block ${number}`);
    if (block2.hasMore && payload.length !== blockBytes(block2.sizeExponent))
      return fail(`block ${number} has ${payload.length} bytes`);
    parts.push(payload);
    bytes += payload.length;
    if (bytes > MESSAGE_BYTES_MAX) return fail(`a body of more than ${MESSAGE_BYTES_MAX} bytes`);
    if (!block2.hasMore) break;
    const next: Block = { number: number + 1, hasMore: false, sizeExponent: block2.sizeExponent };
    const result = await send({ method: 'GET', path, block2: next });
    if (!result.ok) return result;
    message = result.value;
  }
  // Without the stored body, the server cuts the block out of another one.
  if (bytes !== (first.size2 ?? bytes)) return fail(`${bytes} bytes instead of ${first.size2}`);
  return { ok: true, value: Buffer.concat(parts) };
}

function fail(detail: string): Result<never> {
  return { ok: false, failure: { reason: 'unexpected-response', detail: `block-wise transfer: ${detail}` } };
}
