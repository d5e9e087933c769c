/**
 * Assembles request bodies that arrive in blocks (RFC 7959, Block1), like Californium (contract section 2). A
 * transfer is identified by peer and URI, so two transfers to one URI from one socket break each other, as on
 * the real server. Beyond `transfersMax` or `bodyBytesMax` the longest idle transfer is dropped; its next
 * block gets 4.08.
 */

import { type CoapRequest, type CoapResponse, uriKey } from './message.ts';
import {
  type Block,
  blockBytes,
  blockOption,
  type CoapOption,
  optionNumber,
  readBlock,
  readUint,
  uintOption,
} from './options.ts';
import type { CoapSettings } from './settings.ts';

/**
 * `complete`: the request with its whole body; `echo` goes into the response. `answered`: needs no further
 * handling.
 */
export type Upload =
  | { readonly status: 'complete'; readonly request: CoapRequest; readonly echo: readonly CoapOption[] }
  | { readonly status: 'answered'; readonly response: CoapResponse };

interface Transfer {
  readonly parts: Buffer[];
  bytes: number;
  untilMs: number;
}

export class Block1Uploads {
  readonly #settings: CoapSettings;
  readonly #transfers = new Map<string, Transfer>();
  #bytesHeld = 0;

  constructor(settings: CoapSettings) {
    this.#settings = settings;
  }

  receive(request: CoapRequest): Upload {
    const reading = readBlock(request.options, optionNumber.block1);
    if (reading.status === 'absent') return { status: 'complete', request, echo: [] };
    if (reading.status === 'malformed') return reject('4.02', 'malformed Block1 option');
    const { block } = reading;
    const key = uriKey(request);
    this.#removeExpired(this.#settings.nowMs());
    const announced = readUint(request.options, optionNumber.size1, 4) ?? 0;
    if (announced > this.#settings.bodyBytesMax) {
      this.#remove(key);
      const limit = uintOption(optionNumber.size1, this.#settings.bodyBytesMax);
      return reject('4.13', this.#tooLarge(), [limit]);
    }
    return this.#add(key, block, request);
  }

  #add(key: string, block: Block, request: CoapRequest): Upload {
    if (block.num === 0) this.#remove(key);
    const transfer = this.#transfers.get(key) ?? { parts: [], bytes: 0, untilMs: 0 };
    this.#remove(key);
    const offset = block.num * blockBytes(block.szx);
    if (offset !== transfer.bytes) {
      return reject(
        '4.08',
        `request block1 offset ${offset} doesn't match the current position ${transfer.bytes}!`,
      );
    }
    const { length } = request.payload;
    if (length > blockBytes(block.szx) || (block.more && length < blockBytes(block.szx))) {
      return reject('4.00', 'wrong block size');
    }
    if (transfer.bytes + length > this.#settings.bodyBytesMax) return reject('4.13', this.#tooLarge());
    // A copy: the datagram's own buffer may be a slice of a much larger one.
    transfer.parts.push(Buffer.from(request.payload));
    transfer.bytes += length;
    const echo = [blockOption(optionNumber.block1, block)];
    if (block.more) {
      this.#store(key, transfer);
      return { status: 'answered', response: { code: '2.31', options: echo } };
    }
    return { status: 'complete', request: { ...request, payload: Buffer.concat(transfer.parts) }, echo };
  }

  #tooLarge(): string {
    return `body too large, can process ${this.#settings.bodyBytesMax} bytes max`;
  }

  #store(key: string, transfer: Transfer): void {
    transfer.untilMs = this.#settings.nowMs() + this.#settings.blockStatusMs;
    this.#transfers.set(key, transfer);
    this.#bytesHeld += transfer.bytes;
    for (const [oldest] of this.#transfers) {
      const fits =
        this.#transfers.size <= this.#settings.transfersMax && this.#bytesHeld <= this.#settings.bodyBytesMax;
      if (fits) return;
      this.#remove(oldest);
    }
  }

  /** The map is ordered by the last block of each transfer, so the first entries expire first. */
  #removeExpired(nowMs: number): void {
    for (const [key, { untilMs }] of this.#transfers) {
      if (untilMs > nowMs) return;
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    this.#bytesHeld -= this.#transfers.get(key)?.bytes ?? 0;
    this.#transfers.delete(key);
  }
}

/** A rejected block has no Block1 option in its response (contract section 14). */
function reject(code: string, text: string, options: readonly CoapOption[] = []): Upload {
  return { status: 'answered', response: { code, options, payload: Buffer.from(text) } };
}
