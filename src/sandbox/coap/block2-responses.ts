/**
 * Splits responses over 1024 bytes into blocks (RFC 7959, Block2) and stores them for the GETs of the later
 * blocks (contract section 2). A peer can request smaller blocks. Bodies are stored for 300 s by peer and
 * URI, at most `transfersMax`, the oldest dropped first; a later block of a dropped body is cut from a new
 * response.
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

  /** A later block of a stored response; undefined if the request must be handled. */
  fetch(request: CoapRequest): CoapResponse | undefined {
    const reading = readBlock(request.options, optionNumber.block2);
    if (reading.status === 'malformed') {
      return { code: '4.02', payload: Buffer.from('malformed Block2 option') };
    }
    if (reading.status === 'absent' || reading.block.num === 0) return undefined;
    const stored = this.#stored.get(uriKey(request));
    if (stored !== undefined && stored.untilMs > this.#settings.nowMs())
      return slice(stored.response, reading.block);
    // Only a GET may be executed again to produce a block.
    return request.code === '0.01' ? undefined : { code: '4.08' };
  }

  /** The whole response, or the requested block of it. */
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
  // Only the first block of a notification has the Observe option (RFC 7959 section 3.4).
  const others = (response.options ?? []).filter(
    ({ number }) => num === 0 || number !== optionNumber.observe,
  );
  const size = num === 0 && to < body.length ? [uintOption(optionNumber.size2, body.length)] : [];
  return { code: response.code, options: [...others, block, ...size], payload: body.subarray(from, to) };
}
