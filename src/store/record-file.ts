/**
 * One file with a credential record in it, looked at without trust: what it is, in one of five words.
 *
 * Never throws and never quotes the file, which holds a token. A byte order mark in front, as Windows editors
 * leave it, is no fault.
 */

import { chmod, readFile, stat } from 'node:fs/promises';
import { fromDisk, type StoredRecord } from './record.ts';

/** Larger than any record of ours, bytes; a file beyond it is not read into memory. */
const FILE_BYTES_MAX = 64 * 1024;

export type RecordFile =
  | { readonly is: 'absent' }
  /** `wasOpen`: group or others could read it. */
  | ({ readonly is: 'good'; readonly wasOpen: boolean } & StoredRecord)
  /** Torn, empty, not JSON, or without what a record must have. */
  | { readonly is: 'bad'; readonly problem: string }
  /** Written by a later firstlight: not ours to touch. */
  | { readonly is: 'future'; readonly problem: string }
  /** The file system said no; `code` is its errno. */
  | { readonly is: 'unreadable'; readonly error: unknown };

/** Reads and judges `path`; a file that others may read is closed to them on the way. */
export async function readRecordFile(path: string): Promise<RecordFile> {
  let text: string;
  let wasOpen = false;
  try {
    const { size, mode } = await stat(path);
    if (size > FILE_BYTES_MAX) return { is: 'bad', problem: `has ${size} bytes, far more than a record` };
    wasOpen = (mode & 0o077) !== 0;
    text = await readFile(path, 'utf8');
    if (wasOpen) await chmod(path, 0o600).catch(() => {}); // on a read-only disk it stays as it is; the caller tells
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT')
      return { is: 'absent' };
    return { is: 'unreadable', error };
  }
  if (text.trim() === '') return { is: 'bad', problem: 'is empty' };
  const parsed = parseObject(text);
  if (!parsed) return { is: 'bad', problem: 'is torn or not JSON' };
  const judged = fromDisk(parsed);
  if (!judged.ok) return { is: judged.future ? 'future' : 'bad', problem: judged.problem };
  const { record, fingerprint, servers } = judged;
  return { is: 'good', wasOpen, record, fingerprint, ...(servers && { servers }) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
