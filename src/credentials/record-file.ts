/**
 * One file with a credential record in it, looked at without trust: what it is, in one of five words.
 *
 * Never throws and never quotes the file, which holds a token; never follows a link. A byte order mark in front, as
 * Windows editors leave it, is no fault.
 */

import { errorCode } from '../core/model/error-code.ts';
import { parseJsonObject } from '../core/model/json-object.ts';
import { fromDisk, type StoredRecord } from './record.ts';
import { openRegularFile } from './regular-file.ts';

/** Larger than any record of ours, bytes; a file beyond it is not read into memory. */
const FILE_BYTES_MAX = 64 * 1024;

export type RecordFile =
  | { readonly is: 'absent' }
  /** `wasOpen`: group or others could read it. */
  | ({ readonly is: 'good'; readonly wasReadableByOthers: boolean } & StoredRecord)
  /** Torn, empty, not JSON, or without what a record must have. */
  | { readonly is: 'bad'; readonly problem: string }
  /** Written by a later firstlight: not ours to touch. */
  | { readonly is: 'newer'; readonly problem: string }
  /** The file system said no, with an errno as `code`; or a StoreError: what is there is no regular file. */
  | { readonly is: 'unreadable'; readonly error: unknown };

/**
 * Reads and judges `path`. The agent closes a file that others may read to them on the way (`close`); whoever only looks
 * changes nothing.
 */
export async function readRecordFile(
  path: string,
  access: 'read-only' | 'fix-mode' = 'read-only',
): Promise<RecordFile> {
  let text: string;
  let wasReadableByOthers = false;
  try {
    await using handle = await openRegularFile(path);
    const { size, mode } = await handle.stat();
    if (size > FILE_BYTES_MAX) return { is: 'bad', problem: `has ${size} bytes, far more than a record` };
    wasReadableByOthers = (mode & 0o077) !== 0;
    text = await handle.readFile('utf8');
    if (wasReadableByOthers && access === 'fix-mode') await handle.chmod(0o600).catch(() => {}); // on a read-only disk it stays as it is; the caller tells
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { is: 'absent' };
    return { is: 'unreadable', error };
  }
  if (text.trim() === '') return { is: 'bad', problem: 'is empty' };
  const parsed = parseJsonObject(text.replace(/^\uFEFF/, ''));
  if (!parsed) return { is: 'bad', problem: 'is torn or not JSON' };
  const result = fromDisk(parsed);
  if (!result.ok) return { is: result.isNewer ? 'newer' : 'bad', problem: result.problem };
  const { record, fingerprint, servers } = result;
  return { is: 'good', wasReadableByOthers, record, fingerprint, ...(servers && { servers }) };
}
