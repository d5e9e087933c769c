/**
 * Reads a small text file that an operator named: bounded, complete, and without blocking on a FIFO.
 *
 * Checks the open descriptor, so that the file that was checked is the one that is read. Reasons never quote the content.
 * Synchronous, because it runs at start only.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../../core/model/error-code.ts';

export type FileText =
  | { readonly is: 'text'; readonly text: string; readonly mode: number }
  | { readonly is: 'missing' }
  /** `what` continues a sentence that begins with the file's path. */
  | { readonly is: 'unreadable'; readonly what: string };

export function readTextFile(path: string, bytesMax: number): FileText {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return toFailure(errorCode(error) ?? 'unknown error');
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) return { is: 'unreadable', what: 'is a directory, not a file' };
    if (!stat.isFile()) return { is: 'unreadable', what: 'is not a regular file' };
    const bytes = Buffer.alloc(bytesMax + 1);
    const length = readUpTo(descriptor, bytes);
    if (length > bytesMax) return { is: 'unreadable', what: `is larger than ${bytesMax / 1024} KiB` };
    return decode(bytes.subarray(0, length), stat.mode);
  } catch (error) {
    return toFailure(errorCode(error) ?? 'unknown error');
  } finally {
    closeSync(descriptor);
  }
}

function toFailure(code: string): FileText {
  if (code === 'ENOENT' || code === 'ENOTDIR') return { is: 'missing' };
  if (code === 'EACCES' || code === 'EPERM') {
    return { is: 'unreadable', what: `is not readable by this user (${code})` };
  }
  return { is: 'unreadable', what: `cannot be read (${code})` };
}

function readUpTo(descriptor: number, bytes: Buffer): number {
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, null);
    length += read;
    if (read === 0 || length === bytes.length) return length;
  }
}

function decode(bytes: Buffer, mode: number): FileText {
  if (bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xef_bb_bf) {
    return { is: 'unreadable', what: 'starts with a byte order mark; save it as UTF-8 without one' };
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { is: 'text', text, mode };
  } catch {
    return { is: 'unreadable', what: 'is not UTF-8 text' };
  }
}
