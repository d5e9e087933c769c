/** Why `firstlight run` cannot start on this host with a valid configuration: event, sentence for the operator, exit code. */

import type { EventId } from '../core/events/catalogue.ts';
import { errorCode } from '../core/model/error-code.ts';
import { EX_CONFIG } from './exit-codes.ts';

export class StartupError extends Error {
  override readonly name = 'StartupError';
  readonly event: EventId;
  readonly exitCode: number;

  constructor(event: EventId, message: string, exitCode: number = EX_CONFIG, options?: ErrorOptions) {
    super(message, options);
    this.event = event;
    this.exitCode = exitCode;
  }
}

/** Node's message about the file if it caused `error`; undefined for any other error. */
export function corruptFileOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isMissing = errorCode(error) === 'ERR_MODULE_NOT_FOUND';
  // The file is not a valid module, or lacks an export that another part imports.
  const isTruncated =
    error instanceof SyntaxError && /\bModuleJob\b|compileSourceTextModule/.test(error.stack ?? '');
  return isMissing || isTruncated ? error.message.split('\n')[0] : undefined;
}
