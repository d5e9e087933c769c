/**
 * A name server that is silent until `startAnswering`, and then resolves every name to the same IPv4 address:
 * the router of a gateway that boots slower than the gateway.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const IN = 1;
/** Response, recursion desired and available, no error. */
const FLAGS = 0x8180;
/** A pointer to the name in the question. */
const NAME = 0xc00c;
const TTL_S = 5;

export interface NameServer extends AsyncDisposable {
  /** How many queries arrived so far, answered or not. */
  readonly queryCount: () => number;
  readonly startAnswering: () => void;
}

export async function openNameServer(host: string, answer: string): Promise<NameServer> {
  const socket = createSocket('udp4');
  let isSilent = true;
  let queryCount = 0;
  socket.on('message', (question, from) => {
    queryCount += 1;
    if (!isSilent) socket.send(answerTo(question, answer), from.port, from.address);
  });
  socket.bind(53, host);
  await once(socket, 'listening');
  return {
    queryCount: () => queryCount,
    startAnswering: () => {
      isSilent = false;
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** RFC 1035, section 4: repeats the question, and adds a record if it is for an IPv4 address. */
function answerTo(question: Buffer, address: string): Buffer {
  const end = endOfQuestion(question);
  const hasAnswer = question.readUInt16BE(end - 4) === TYPE_A;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.readUInt16BE(0), 0);
  for (const [index, value] of [FLAGS, 1, hasAnswer ? 1 : 0, 0, 0].entries())
    header.writeUInt16BE(value, 2 + 2 * index);
  const record = Buffer.alloc(16);
  for (const [value, at] of [
    [NAME, 0],
    [TYPE_A, 2],
    [IN, 4],
    [4, 10],
  ] as const)
    record.writeUInt16BE(value, at);
  record.writeUInt32BE(TTL_S, 6);
  for (const [index, part] of address.split('.').entries()) record.writeUInt8(Number(part), 12 + index);
  return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...(hasAnswer ? [record] : [])]);
}

function endOfQuestion(question: Buffer): number {
  let at = HEADER_BYTES;
  while ((question[at] ?? 0) !== 0) at += 1 + (question[at] ?? 0);
  return at + 5; // the empty label, the type and the class
}
