/**
 * Why `firstlight run` cannot begin at all, beyond what the configuration shows by itself: sentences for the
 * operator, and the exit code.
 */

import type { EventId } from '../core/events/catalogue.ts';
import { EX_CONFIG } from './exit-codes.ts';

export class StartupError extends Error {
  override readonly name = 'CannotStart';
  readonly code = 'CANNOT_START';
  readonly event: EventId;
  readonly exitCode: number;

  constructor(event: EventId, message: string, exitCode: number = EX_CONFIG, options?: ErrorOptions) {
    super(message, options);
    this.event = event;
    this.exitCode = exitCode;
  }
}
