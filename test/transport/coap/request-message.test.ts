/** The library's parser reads what the agent's own encoder writes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'coap-packet';
import fc from 'fast-check';
import { encodeRequest, type RequestMessage } from '../../../src/transport/coap/request-message.ts';
import { anyText } from '../../any-text.ts';
import { repetitions } from '../../repetitions.ts';

const block = fc.record({
  number: fc.nat(2 ** 20 - 1),
  hasMore: fc.boolean(),
  sizeExponent: fc.nat(6),
});
const request: fc.Arbitrary<RequestMessage> = fc.record(
  {
    method: fc.constantFrom('GET', 'POST'),
    token: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    path: fc.array(anyText({ maxLength: 300 }), { maxLength: 4 }),
    observe: fc.constantFrom(0, 1),
    block1: block,
    block2: block,
    size1: fc.nat(2 ** 32 - 1),
    payload: fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)),
    isNonConfirmable: fc.boolean(),
  },
  { requiredKeys: ['method', 'token', 'path'] },
);

describe('the encoded request', () => {
  it('has all fields and options, in the order of their numbers', () => {
    fc.assert(
      fc.property(request, fc.nat(0xffff), (message, messageId) => {
        fc.pre(message.path.join('').length < 300);
        const packet = parse(encodeRequest(message, messageId));
        const { payload, isNonConfirmable = false } = message;
        assert.equal(packet.messageId, messageId);
        assert.equal(packet.confirmable, !isNonConfirmable);
        assert.equal(packet.code, message.method === 'GET' ? '0.01' : '0.02');
        assert.equal(packet.token.toString('hex'), message.token);
        assert.deepEqual(packet.payload, payload ?? Buffer.alloc(0));
        assert.deepEqual(
          packet.options.map(({ name, value }) => [name, value.toString('hex')]),
          expectedOptions(message),
        );
      }),
      { numRuns: repetitions(5_000, 500) },
    );
  });

  it('has the shortest form of its numbers and lengths at each bound', () => {
    const lengths = [0, 12, 13, 268, 269, 300];
    for (const length of lengths) {
      const bytes = encodeRequest({ method: 'GET', token: '01', path: ['x'.repeat(length)] }, 1);
      const extension = length < 13 ? 0 : length < 269 ? 1 : 2;
      assert.equal(bytes.length, 4 + 1 + 1 + extension + length, `a path of ${length} bytes`);
    }
    for (const [size1, bytes] of [
      [0, 0],
      [255, 1],
      [256, 2],
      [65_536, 3],
      [2 ** 24, 4],
    ] as const) {
      const message = encodeRequest({ method: 'POST', token: '', path: [], size1 }, 1);
      assert.equal(message.length, 4 + 1 + 1 + bytes, `a size of ${size1}`);
    }
  });

  it('of more than 2,048 bytes is refused, and the next one is complete', () => {
    const post = (bytes: number) =>
      encodeRequest({ method: 'POST', token: '0102', path: [], payload: Buffer.alloc(bytes, 7) }, 1);
    const overhead = post(1).length - 1;
    assert.equal(post(2048 - overhead).length, 2048);
    assert.throws(() => post(2049 - overhead), RangeError);
    const longPath = { method: 'GET', token: '', path: ['x'.repeat(2100)] } as const;
    assert.throws(() => encodeRequest(longPath, 1), RangeError);
    assert.deepEqual(parse(post(3)).payload, Buffer.alloc(3, 7));
  });

  it('with a value out of range is refused', () => {
    const get = { method: 'GET', path: [] } as const;
    for (const token of ['0', '010', '00'.repeat(9)])
      assert.throws(() => encodeRequest({ ...get, token }, 1), RangeError, token);
    for (const size1 of [-1, 2 ** 32, Number.NaN])
      assert.throws(() => encodeRequest({ ...get, token: '', size1 }, 1), RangeError, String(size1));
  });

  it('is not changed by the next one', () => {
    const first = encodeRequest({ method: 'GET', token: '0a', path: ['first'] }, 1);
    encodeRequest({ method: 'POST', token: 'ffff', path: ['second'], payload: Buffer.alloc(40) }, 2);
    assert.equal(parse(first).options[0]?.value.toString(), 'first');
  });
});

function expectedOptions(message: RequestMessage): readonly (readonly [string, string])[] {
  const { path, observe, payload, block1, block2, size1 } = message;
  const blockBits = ({ number, hasMore, sizeExponent }: NonNullable<RequestMessage['block1']>) =>
    number * 16 + (hasMore ? 8 : 0) + sizeExponent;
  return [
    ...(observe === undefined ? [] : [['Observe', uint(observe)] as const]),
    ...path.map((segment) => ['Uri-Path', Buffer.from(segment).toString('hex')] as const),
    ...(payload === undefined ? [] : [['Content-Format', uint(50)] as const]),
    ...(block2 === undefined ? [] : [['Block2', uint(blockBits(block2))] as const]),
    ...(block1 === undefined ? [] : [['Block1', uint(blockBits(block1))] as const]),
    ...(size1 === undefined ? [] : [['Size1', uint(size1)] as const]),
  ];
}

/** Hex of the shortest form; empty for 0. */
function uint(value: number): string {
  if (value === 0) return '';
  const hex = value.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}
