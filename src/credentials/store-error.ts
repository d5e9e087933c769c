/** Errors of the credential store: one sentence with the place, the cause and the remedy, without any content of the files. */

import { errorCode } from '../core/model/error-code.ts';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** The core distinguishes a failing disk, damaged files and files of a newer agent. */
  readonly code: 'STORE_FAILED' | 'CREDENTIALS_DAMAGED' | 'CREDENTIALS_NEWER';

  constructor(message: string, options: ErrorOptions & { readonly code?: StoreError['code'] } = {}) {
    super(message, options);
    this.code = options.code ?? 'STORE_FAILED';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space',
  EROFS: 'the file system is read-only; check the SD card or disk and remount it writable',
  EACCES: 'permission denied; the state directory and its files must belong to the user of the service',
  EPERM: 'permission denied; the state directory and its files must belong to the user of the service',
  EISDIR: 'a directory has the name of a file; move it away',
  EIO: 'the disk reports an error; the SD card or disk may be failing, replace it',
  EEXIST: 'a file has the name of the directory; move it away, or choose another state directory',
  ERR_MODULE_NOT_FOUND: 'a file of the program is missing, for example after an upgrade; restart the agent',
  ENOTDIR: 'a part of the path is not a directory; choose another state directory',
};

/** `error` as a StoreError that begins with `what`. Its text is not quoted, because that of a parser would quote the token. */
export function toStoreError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = errorCode(error) ?? '';
  const reason =
    REASONS[code] ??
    `unknown error (${code || 'no code'}); check the permissions and the health of the directory`;
  return new StoreError(`${what}: ${reason}`, { cause: error });
}
