/**
 * The ports: everything the core and the agent's loops ask of the outside world.
 *
 * Each has a real adapter in a room of its own and, where tests need one, a double in test/doubles that
 * passes the same contract suite. Time, chance, network and disk enter the program here and nowhere else.
 */

import type { Reading, Values } from './reading.ts';
import type { Refusal } from './refusal.ts';
import type { Secret } from './secret.ts';

/** Time. Wall time dates readings; monotonic time measures waits and rates. */
export interface Clock {
  /** Unix milliseconds by the host's clock, which may be wrong and may step. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin; never steps, never goes back. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`, or at once when the signal aborts. Never rejects: the caller asks `signal.aborted`.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Chance. */
export interface Chance {
  /** Uniform in [0, 1): jitter. Not for secrets. */
  random(): number;
  /** A fresh access token from the operating system's CSPRNG: 20 or more of A-Z a-z 0-9 (contract 3.5). */
  mintToken(): Secret;
}

/** An expected failure is a value; only a bug throws. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export interface ProvisionRequest {
  readonly deviceName: string;
  readonly key: string;
  readonly secret: Secret;
  /** Device-generated mode: the token to propose. Absent: the server chooses. */
  readonly token?: Secret;
}

/** The server, whatever the road. One request, one deadline, one result; retries are the session's. */
export interface Transport extends AsyncDisposable {
  /**
   * Provisions once (contract section 3). `keep` is awaited with the issued token before the server is told
   * that its answer arrived: as long as the agent lives, the server then repeats an answer that is not kept
   * yet. Across a restart it does not help (src/README.md). Rejects only when `keep` does.
   */
  provision(
    request: ProvisionRequest,
    keep: (token: Secret) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Result<Secret>>;
  /** Asks whether the server takes this token (contract 3.5): true, or false for a clear "unauthorized". */
  probe(token: Secret, signal: AbortSignal): Promise<Result<boolean>>;
  /** Posts a telemetry body made by core/packing (contract section 4). */
  postTelemetry(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
  /** Posts client attributes, a flat JSON object (contract section 5). */
  postAttributes(token: Secret, body: string, signal: AbortSignal): Promise<Result<void>>;
}

/** What the credential store remembers. Exactly one of the two states; no record means a first boot. */
export type CredentialRecord =
  | {
      /** A request may have been sent. In device-generated mode `token` is the one proposed. */
      readonly state: 'pending';
      readonly server: string;
      readonly deviceName: string;
      readonly token?: Secret;
      /** A token that worked and was revoked: still tried, slowly, in case the revocation is taken back. */
      readonly previousToken?: Secret;
      readonly sinceMs: number;
    }
  | {
      readonly state: 'provisioned';
      readonly server: string;
      readonly deviceName: string;
      readonly token: Secret;
      readonly sinceMs: number;
    };

/** Durable memory of the credentials. `write` returns when a power cut can no longer undo it. */
export interface CredentialStore extends AsyncDisposable {
  /** Rejects with a StoreError that says what is wrong with the file and what to do. */
  read(): Promise<CredentialRecord | undefined>;
  write(record: CredentialRecord): Promise<void>;
}

/** Readings waiting for delivery, oldest first, bounded; the oldest go when it is full, and are counted. */
export interface Outbox {
  append(reading: Reading): void;
  /** Up to `max` oldest readings, without removing them. */
  peek(max: number): readonly Reading[];
  /** Removes the `count` oldest: the server has them. */
  acknowledge(count: number): void;
  readonly size: number;
  /** Readings dropped since start because the outbox was full. */
  readonly dropped: number;
  /** Resolves when there is something to peek, or the signal aborts. */
  waitForReading(signal: AbortSignal): Promise<void>;
}

/** The host's sensors. Never rejects for a sensor's sake: what cannot be read is absent. */
export interface Sensors {
  sample(): Promise<Values>;
}

/** Facts about the host that change rarely, gathered once per start and posted as client attributes. */
export interface HostFacts {
  gather(signal: AbortSignal): Promise<Values>;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One constant sentence per event; what varies goes into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
