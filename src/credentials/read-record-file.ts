/**
 * Reads a file with a credential record. Never rejects, never follows a link, and never quotes the file, which contains a token.
 * A byte order mark of a Windows editor is accepted.
 */

import { errorCode } from '../core/model/error-code.ts';
import { parseJsonObject } from '../core/model/json-object.ts';
import { openRegularFile } from './private-files.ts';
import { fromDisk, type StoredRecord } from './record.ts';

/** Larger than any record; a larger file is not read. */
const FILE_BYTES_MAX = 64 * 1024;

export type RecordFile =
  | { readonly is: 'absent' }
  | ({ readonly is: 'good'; readonly wasReadableByOthers: boolean } & StoredRecord)
  /** Truncated, empty, not JSON, or not a valid record. */
  | { readonly is: 'bad'; readonly problem: string }
  /** Written by a newer agent: must stay unchanged. */
  | { readonly is: 'newer'; readonly problem: string }
  /** An error of the file system, or a StoreError if it is not a regular file. */
  | { readonly is: 'unreadable'; readonly error: unknown };

/** With 'fix-mode', makes a file private (0600) that others can read. */
export async function readRecordFile(
  path: string,
  access: 'read-only' | 'fix-mode' = 'read-only',
): Promise<RecordFile> {
  let text: string;
  let wasReadableByOthers = false;
  try {
    await using handle = await openRegularFile(path);
    const { size, mode } = await handle.stat();
    if (size > FILE_BYTES_MAX) return { is: 'bad', problem: `is too large (${size} bytes)` };
    wasReadableByOthers = (mode & 0o077) !== 0;
    text = await handle.readFile('utf8');
    if (wasReadableByOthers && access === 'fix-mode') await handle.chmod(0o600).catch(() => {});
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { is: 'absent' };
    return { is: 'unreadable', error };
  }
  if (text.trim() === '') return { is: 'bad', problem: 'is empty' };
  const parsed = parseJsonObject(text.replace(/^\uFEFF/, ''));
  if (!parsed) return { is: 'bad', problem: 'is truncated or not JSON' };
  const result = fromDisk(parsed);
  if (!result.ok) return { is: result.isNewer ? 'newer' : 'bad', problem: result.problem };
  const { record, fingerprint, servers } = result;
  return { is: 'good', wasReadableByOthers, record, fingerprint, ...(servers && { servers }) };
}
