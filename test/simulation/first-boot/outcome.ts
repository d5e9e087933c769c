/** The options and the outcome of one first boot. */

import type { Plant } from './planted-bugs.ts';
import type { BrokenPromise } from './promise-checker.ts';
import type { Cause } from './stranding-cause.ts';
import type { StrategyName } from './strategies.ts';

export interface BootOptions {
  readonly seed: number;
  readonly strategy: StrategyName;
  readonly plant?: Plant | undefined;
  readonly keepsTrace?: boolean;
}

export interface Outcome {
  readonly seed: number;
  readonly result: 'provisioned' | 'stranded';
  readonly cause?: Cause;
  /** Virtual ms from the first power-on until the server's token was on the disk. */
  readonly provisionedMs?: number;
  /**
   * Virtual ms from the decision of the server until then: a power cut in between strands a gateway without a
   * device-generated token.
   */
  readonly exposedMs?: number;
  readonly devices: number;
  readonly starts: number;
  /** Provisioning datagrams that left the gateway. */
  readonly requestsSent: number;
  readonly broken: readonly BrokenPromise[];
  readonly events: number;
  readonly hash: string;
  readonly trace: readonly string[];
}
