/**
 * Answers too large for one block (RFC 7959, Block2) cut up, and the rest kept for the GETs that fetch it.
 *
 * More than 1024 bytes go out as block 0 with `more` and Size2; later blocks are answered from memory, piggybacked
 * (contract, section 2). A peer that asks for smaller blocks gets them. Bodies are kept 300 s by peer and URI, at
 * most `transfersMax` of them, the oldest forgotten first. A later block of a forgotten body is cut from a fresh
 * answer.
 */

import { type CoapRequest, type CoapResponse, uriKey } from './message.ts';
import {
  type Block,
  type BlockReading,
  blockBytes,
  blockOption,
  optionNumber,
  readBlock,
  uintOption,
} from './options.ts';
import type { CoapSettings } from './settings.ts';

interface StoredResponse {
  readonly response: CoapResponse;
  readonly untilMs: number;
}

/** Preferred and largest block: 1024 bytes. */
const preferredSzx = 6;

export class Block2Responses {
  readonly #settings: CoapSettings;
  readonly #stored = new Map<string, StoredResponse>();

  constructor(settings: CoapSettings) {
    this.#settings = settings;
  }

  /** A later block of an answer already given; undefined when the request must be worked on. */
  fetch(request: CoapRequest): CoapResponse | undefined {
    const reading = readBlock(request.options, optionNumber.block2);
    if (reading.status === 'malformed') {
      return { code: '4.02', payload: Buffer.from('malformed Block2 option') };
    }
    if (reading.status === 'absent' || reading.block.num === 0) return undefined;
    const stored = this.#stored.get(uriKey(request));
    if (stored !== undefined && stored.untilMs > this.#settings.nowMs())
      return slice(stored.response, reading.block);
    // Only reading twice is harmless; anything else is not executed again for the sake of a block.
    return request.code === '0.01' ? undefined : { code: '4.08' };
  }

  /** The answer as it goes out: whole, or the block the request asked for. */
  applyBlockSize(request: CoapRequest, response: CoapResponse): CoapResponse {
    const reading: BlockReading = readBlock(request.options, optionNumber.block2);
    const bytes = response.payload?.length ?? 0;
    const requestedBlock = reading.status === 'present' ? reading.block : undefined;
    if (bytes === 0 || (requestedBlock === undefined && bytes <= blockBytes(preferredSzx))) return response;
    const szx = Math.min(requestedBlock?.szx ?? preferredSzx, preferredSzx);
    if (bytes > blockBytes(szx)) this.#store(uriKey(request), response);
    return slice(response, { num: requestedBlock?.num ?? 0, more: false, szx });
  }

  #store(key: string, response: CoapResponse): void {
    this.#stored.delete(key);
    const nowMs = this.#settings.nowMs();
    for (const [oldest, { untilMs }] of this.#stored) {
      if (untilMs > nowMs && this.#stored.size < this.#settings.transfersMax) break;
      this.#stored.delete(oldest);
    }
    this.#stored.set(key, { response, untilMs: nowMs + this.#settings.blockStatusMs });
  }
}

function slice(response: CoapResponse, { num, szx }: Block): CoapResponse {
  const body = response.payload ?? Buffer.alloc(0);
  const from = num * blockBytes(szx);
  const to = from + blockBytes(szx);
  if (from >= body.length) return { code: '4.02', payload: Buffer.from('wrong block number') };
  const block = blockOption(optionNumber.block2, { num, more: to < body.length, szx });
  // An observation is about the whole; only its first block carries the number (RFC 7959 section 3.4).
  const others = (response.options ?? []).filter(
    ({ number }) => num === 0 || number !== optionNumber.observe,
  );
  const size = num === 0 && to < body.length ? [uintOption(optionNumber.size2, body.length)] : [];
  return { code: response.code, options: [...others, block, ...size], payload: body.subarray(from, to) };
}
