/**
 * Recognises a missing or truncated program file: an upgrade removed it under a running process, or the disk is failing. It can
 * appear at any time, because the program is loaded in parts (scripts/bundle/parts.mjs).
 */

import { errorCode } from '../core/model/error-code.ts';

/** Node's message about the file if it caused `error`; undefined for any other error. */
export function corruptFileOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isMissing = errorCode(error) === 'ERR_MODULE_NOT_FOUND';
  // The file is not a valid module, or lacks an export that another part imports.
  const isTruncated =
    error instanceof SyntaxError && /\bModuleJob\b|compileSourceTextModule/.test(error.stack ?? '');
  return isMissing || isTruncated ? error.message.split('\n')[0] : undefined;
}
