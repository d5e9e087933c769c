/**
 * What is wrong with the credential store, in one sentence that names the place and the remedy; never its
 * contents.
 */

import { errorCode } from '../core/model/error-code.ts';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** What the core tells apart: the disk that fails, files that are damaged, files of a later version. */
  readonly code: 'STORE_FAILED' | 'CREDENTIALS_DAMAGED' | 'CREDENTIALS_NEWER';

  constructor(message: string, options: ErrorOptions & { readonly code?: StoreError['code'] } = {}) {
    super(message, options);
    this.code = options.code ?? 'STORE_FAILED';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the quota is used up; free some space',
  EROFS: 'the file system is read-only; check the card and remount it writable',
  EACCES:
    'the rights do not allow it; the state directory and its files must belong to the user of the service',
  EPERM:
    'the rights do not allow it; the state directory and its files must belong to the user of the service',
  EISDIR: 'a directory stands where a file should be; move it away',
  EIO: 'the disk reports an error; the card may be dying, replace it',
  EEXIST: 'a file stands where the directory should be; move it away, or choose another state directory',
  ERR_MODULE_NOT_FOUND:
    'a file of the program is missing, as when an upgrade has replaced it; restart firstlight',
  ENOTDIR: 'a part of that path is no directory; choose another state directory',
};

/**
 * `error` as a StoreError that begins with `what`; its own text is not quoted, because a parser's would quote
 * the token.
 */
export function toStoreError(what: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = errorCode(error) ?? '';
  const reason =
    REASONS[code] ??
    `for a reason without a name (${code || 'no code'}); look at the rights and the health of that directory`;
  return new StoreError(`${what}: ${reason}`, { cause: error });
}
