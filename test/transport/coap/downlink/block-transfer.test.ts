/** Bodies in blocks, against a server that assembles and cuts them by RFC 7959. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Result } from '../../../../src/core/failures/failure.ts';
import { blockBytes } from '../../../../src/transport/coap/block-option.ts';
import {
  fetchRemainingBlocks,
  postInBlocks,
  type SendRequest,
} from '../../../../src/transport/coap/block-transfer.ts';
import type { ResponseMessage } from '../../../../src/transport/coap/datagram.ts';
import type { RequestMessage } from '../../../../src/transport/coap/request-message.ts';

type Request = Omit<RequestMessage, 'token'>;

const PATH = ['api', 'v1', 'token', 'rpc', '7'];

function response(code: string, more: Partial<ResponseMessage> = {}): ResponseMessage {
  return {
    type: 'response',
    messageId: 1,
    token: '00',
    code,
    kind: 'acknowledgement',
    payload: Buffer.alloc(0),
    isComplete: true,
    ...more,
  };
}

const ok = (value: ResponseMessage): Result<ResponseMessage> => ({ ok: true, value });
const codeOf = (result: Result<ResponseMessage>) => (result.ok ? result.value.code : result.failure.detail);

/** Assembles a body; `exponent` is the largest block that the server wants. */
class Assembler {
  readonly requests: Request[] = [];
  body: Buffer = Buffer.alloc(0);
  /** Numbers of requests, from 0, before which the server forgets the transfer. */
  forgetsAt: readonly number[] = [];
  readonly #exponent: number;

  constructor(exponent = 6) {
    this.#exponent = exponent;
  }

  readonly send: SendRequest = async (request) => {
    if (this.forgetsAt.includes(this.requests.length)) this.body = Buffer.alloc(0);
    this.requests.push(request);
    const { block1, payload = Buffer.alloc(0) } = request;
    if (!block1) {
      this.body = payload;
      return ok(response('2.01'));
    }
    if (block1.number === 0) this.body = Buffer.alloc(0);
    if (block1.number * blockBytes(block1.sizeExponent) !== this.body.length) return ok(response('4.08'));
    assert.equal(block1.hasMore && payload.length !== blockBytes(block1.sizeExponent), false);
    this.body = Buffer.concat([this.body, payload]);
    const sizeExponent = Math.min(block1.sizeExponent, this.#exponent);
    return ok(response(block1.hasMore ? '2.31' : '2.01', { block1: { ...block1, sizeExponent } }));
  };
}

describe('a body that is posted', () => {
  for (const [bytes, requests] of [
    [2, 1],
    [1_024, 1],
    [1_025, 2],
    [2_048, 2],
    [5_000, 5],
    [65_536, 64],
  ] as const) {
    it(`with ${bytes} bytes takes ${requests} requests and arrives whole`, async () => {
      const server = new Assembler();
      const body = Buffer.from(Array.from({ length: bytes }, (_, at) => at & 0xff));
      assert.equal(codeOf(await postInBlocks(server.send, PATH, body)), '2.01');
      assert.ok(server.body.equals(body));
      assert.equal(server.requests.length, requests);
      assert.equal(server.requests[0]?.size1, requests > 1 ? bytes : undefined);
      assert.equal(server.requests[1]?.size1, undefined);
    });
  }

  for (const exponent of [0, 2, 5]) {
    it(`continues with blocks of ${blockBytes(exponent)} bytes if the server wants them`, async () => {
      const server = new Assembler(exponent);
      const body = Buffer.alloc(3_000, 'b');
      assert.equal(codeOf(await postInBlocks(server.send, PATH, body)), '2.01');
      assert.ok(server.body.equals(body));
      assert.equal(server.requests[1]?.block1?.number, 1_024 / blockBytes(exponent));
    });
  }

  it('starts again when the server has lost the transfer', async () => {
    const server = new Assembler();
    server.forgetsAt = [2, 5];
    const body = Buffer.alloc(4_000, 'c');
    assert.equal(codeOf(await postInBlocks(server.send, PATH, body)), '2.01');
    assert.ok(server.body.equals(body));
  });

  it('ends after three new starts', async () => {
    let blocks = 0;
    const send: SendRequest = async ({ block1 }) => {
      blocks += 1;
      return ok(block1?.number === 0 ? response('2.31', { block1 }) : response('4.08'));
    };
    assert.equal(codeOf(await postInBlocks(send, PATH, Buffer.alloc(2_000))), '4.08');
    assert.equal(blocks, 8);
  });

  it('starts again with smaller blocks if the server calls a block too large', async () => {
    const server = new Assembler();
    const send: SendRequest = async (request) =>
      (request.block1?.sizeExponent ?? 0) > 4
        ? ok(response('4.13', { block1: { number: 0, hasMore: false, sizeExponent: 4 } }))
        : server.send(request);
    const body = Buffer.alloc(2_000, 'd');
    assert.equal(codeOf(await postInBlocks(send, PATH, body)), '2.01');
    assert.ok(server.body.equals(body));
  });

  it('ends with the first other response, and with a failure', async () => {
    for (const code of ['4.01', '4.13', '5.00', '2.01']) {
      let requests = 0;
      const send: SendRequest = async () => {
        requests += 1;
        return ok(response(code));
      };
      assert.equal(codeOf(await postInBlocks(send, PATH, Buffer.alloc(3_000))), code);
      assert.equal(requests, 1);
    }
    const silent: SendRequest = async () => ({
      ok: false,
      failure: { reason: 'server-timeout', detail: 'silent' },
    });
    assert.equal(codeOf(await postInBlocks(silent, PATH, Buffer.alloc(3_000))), 'silent');
  });

  it('does not continue after an acknowledgement of another block', async () => {
    for (const block1 of [undefined, { number: 1, hasMore: true, sizeExponent: 6 }]) {
      const send: SendRequest = async () => ok(response('2.31', block1 && { block1 }));
      assert.match(codeOf(await postInBlocks(send, PATH, Buffer.alloc(3_000))), /another block/);
    }
  });
});

describe('a body that is fetched', () => {
  const body = Buffer.from(Array.from({ length: 5_000 }, (_, at) => at & 0xff));
  /** The block of `whole` that a server sends. */
  const cut = (number: number, sizeExponent: number, whole = body) => {
    const size = blockBytes(sizeExponent);
    const hasMore = (number + 1) * size < whole.length;
    return response('2.05', {
      payload: whole.subarray(number * size, (number + 1) * size),
      block2: { number, hasMore, sizeExponent },
      isComplete: false,
    });
  };
  const sendCut: SendRequest = async ({ block2 }) => ok(cut(block2?.number ?? 0, block2?.sizeExponent ?? 6));

  for (const exponent of [0, 4, 6]) {
    it(`in blocks of ${blockBytes(exponent)} bytes is whole`, async () => {
      const first = { ...cut(0, exponent), size2: body.length };
      const fetched = await fetchRemainingBlocks(sendCut, PATH, first);
      assert.ok(fetched.ok && fetched.value.equals(body));
    });
  }

  for (const [what, change] of [
    ['has another number', { block2: { number: 9, hasMore: true, sizeExponent: 6 } }],
    ['has another size', { block2: { number: 1, hasMore: true, sizeExponent: 5 } }],
    ['is too short', { payload: Buffer.alloc(1_000) }],
    ['has no option', { block2: undefined }],
    ['is an error', { code: '4.08' }],
  ] as const) {
    it(`is a failure if a block ${what}`, async () => {
      const send: SendRequest = async () => ok({ ...cut(1, 6), ...change } as ResponseMessage);
      const fetched = await fetchRemainingBlocks(send, PATH, cut(0, 6));
      assert.equal(fetched.ok ? 'ok' : fetched.failure.reason, 'unexpected-response');
    });
  }

  it('is a failure if it is longer or shorter than announced', async () => {
    for (const size2 of [4_999, 5_001]) {
      const fetched = await fetchRemainingBlocks(sendCut, PATH, { ...cut(0, 6), size2 });
      assert.equal(fetched.ok, false);
    }
  });

  it('is a failure after 64 kB, even if the server never ends', async () => {
    let requests = 0;
    const send: SendRequest = async ({ block2 }) => {
      requests += 1;
      const number = block2?.number ?? 0;
      return ok(
        response('2.05', {
          payload: Buffer.alloc(1_024),
          block2: { number, hasMore: true, sizeExponent: 6 },
          isComplete: false,
        }),
      );
    };
    const first = { ...cut(0, 6), payload: Buffer.alloc(1_024) };
    const fetched = await fetchRemainingBlocks(send, PATH, first);
    assert.match(fetched.ok ? '' : fetched.failure.detail, /more than 65536 bytes/);
    assert.equal(requests, 64);
  });
});
