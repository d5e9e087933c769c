/** Why `firstlight run` cannot start on this host with a valid configuration: event, sentence for the operator, exit code. */

import type { EventId } from '../core/events/catalogue.ts';
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
