/**
 * A program of which a file is missing or torn: an upgrade took it away from a process that goes on, or the card is bad. The program is
 * loaded in parts (scripts/bundle/parts.mjs), so that this may come to light at any time.
 */

import { errorCode } from '../core/model/error-code.ts';

/** What Node says of the file, if that is why `error` came about; undefined for any other error. */
export function corruptFileOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isMissing = errorCode(error) === 'ERR_MODULE_NOT_FOUND';
  // Text that is no program, or that lacks what another part takes from it.
  const isTruncated =
    error instanceof SyntaxError && /\bModuleJob\b|compileSourceTextModule/.test(error.stack ?? '');
  return isMissing || isTruncated ? error.message.split('\n')[0] : undefined;
}
