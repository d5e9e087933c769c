/**
 * The agent's settings as the rest of the program sees them: complete, checked, in the units of their names.
 *
 * config/ makes one of these from files, environment and credentials, or lists every problem; nobody else parses.
 */

import type { Secret } from './secret.ts';

/** Who chooses the access token: the gateway (recoverable after a lost answer) or the server (contract 3.5). */
export type CredentialMode = 'device-generated' | 'server-generated';

export interface ServerAddress {
  /** As the operator wrote it, without credentials; what logs and refusals show. */
  readonly url: string;
  readonly scheme: 'coap';
  /** A name, an IPv4 or an IPv6 literal without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Config {
  readonly server: ServerAddress & {
    /** The first provisioning request waits a random part of this, so that a fleet does not arrive at once. 0 to 1 h. */
    readonly spreadMs: number;
  };
  /** Absent when the gateway has credentials already and none is configured; needed only to provision. */
  readonly provisioning?: {
    readonly key: string;
    readonly secret: Secret;
    readonly credentials: CredentialMode;
  };
  readonly device: {
    /** Absent: derived from the board. 1 to 255 characters, trimmed, no control characters, no < or >. */
    readonly name?: string;
  };
  readonly telemetry: {
    /** 1 s to 24 h. */
    readonly intervalMs: number;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'text' | 'json';
  };
}
