/**
 * The ports: everything the core and the agent's loops ask of the outside world.
 *
 * Each has a real adapter in a room of its own and, where tests need one, a double in test/doubles that
 * passes the same contract suite. Time, chance, network and disk enter the program here and nowhere else.
 */

import type { KnownOffsets } from './boot-offsets.ts';
import type { Losses, LossReason } from './losses.ts';
import type { Reading, Values } from './reading.ts';
import type { Refusal } from './refusal.ts';
import type { Secret } from './secret.ts';
import type { StatusReport } from './status-report.ts';

/** Time. Wall time dates readings; monotonic time measures waits and rates. */
export interface Clock {
  /** Unix milliseconds by the host's clock, which may be wrong and may step. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin; never steps, never goes back. */
  monotonicMs(): number;
  /** Names this boot of the host: every process of it sees the same name, no other boot has it. */
  readonly bootId: string;
  /** Milliseconds since this boot, suspends included; the same for every process of it; never steps. */
  bootMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects: the caller asks `signal.aborted`. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What the host's time service says about the wall clock. Both may take seconds, and never reject. */
export interface TimeSync {
  /** True when the clock was set by a time service in this boot. A plausible date is no proof. */
  isSynchronised(signal: AbortSignal): Promise<boolean>;
  /** Asked after the clock was seen to step: true when a time service set or confirmed it since. */
  confirmsStep(signal: AbortSignal): Promise<boolean>;
}

/** Remembers the offsets from one process to the next, within this boot and no longer, and without a flash write. */
export interface OffsetMemory {
  /** What an earlier process of this boot kept. Never throws: what cannot be read is not known. */
  recall(): KnownOffsets | undefined;
  /** When it returns, the next process finds it. Never throws: what cannot be kept is told once. */
  keep(offsets: KnownOffsets): void;
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

/** Readings on their way to the server, in the order in which they are to go: taken, and gone only when acknowledged. */
export interface Lane {
  /** Readings not acknowledged yet, taken or not. */
  readonly size: number;
  /** Changes whenever what was taken is taken back (rewound, moved or dropped): then it may come again. */
  readonly epoch: number;
  /**
   * The next ones after those already taken, at most `max`, each with its `tsMs`. Stops before a reading whose
   * date is not known yet. Never rejects.
   */
  take(max: number): Promise<readonly Reading[]>;
  /** The `count` oldest of those taken are at the server, or are given up. Of another epoch: nothing happens. */
  acknowledge(count: number, epoch: number): Promise<void>;
  /** What was taken and not acknowledged will be taken again. */
  rewind(): void;
}

/** Readings waiting for delivery, bounded; the oldest go when it is full, and are told as a gap. */
export interface Outbox {
  /** Never waits and never throws: sampling goes on whatever the disk does. */
  append(reading: Reading): void;
  /** What was sampled lately: goes first. */
  readonly fresh: Lane;
  /** What has waited longer, on the disk where it can be: goes behind it, at a bounded rate. */
  readonly backlog: Lane;
  /**
   * The newest reading, if it has no date and was not offered before: it may go without one, so that the
   * server dates it. It stays where it is until `settleLive` says what became of it.
   */
  offerLive(): Reading | undefined;
  settleLive(reading: Reading, delivered: boolean): void;
  /** The next reading should be a full one: what was delivered last may be older than what the server has. */
  readonly wantsFull: boolean;
  /** From now on undated readings of this boot are dated: `tsMs = bootMs + offsetMs`. Only the first call counts. */
  anchor(offsetMs: number): Promise<void>;
  /** Readings that will never be delivered. */
  readonly losses: Losses;
  /** The reading is given up; the next one should say everything, because that one will be missing. */
  loseReading(reading: Reading, why: LossReason): void;
  /** Appends a gap record, if something was lost that is not told yet. */
  tellLosses(): void;
  /** Counts the changes that may give delivery something to do. */
  readonly version: number;
  /** Resolves once `version` is no longer `since`, or when the signal aborts. */
  waitForChange(since: number, signal: AbortSignal): Promise<void>;
  /** Moves what has waited too long to where it is safe; until the signal aborts. Never rejects. */
  keep(signal: AbortSignal): Promise<void>;
}

/** The host's sensors. Never rejects for a sensor's sake: what cannot be read is absent. */
export interface Sensors {
  sample(): Promise<Values>;
}

/** Facts about the host that change rarely, gathered once per start and posted as client attributes. */
export interface HostFacts {
  gather(signal: AbortSignal): Promise<Values>;
}

/** Whoever started this process and watches over it. Nothing here waits, nothing fails; what is told at once goes together. */
export interface ServiceManager {
  /** So long without a sign of life, ms, and it restarts us; undefined: it does not watch. */
  readonly watchdogMs: number | undefined;
  /** The agent is up, or up again after `reloading`. */
  ready(): void;
  /** What the agent is at; no secret. */
  status(text: string): void;
  alive(): void;
  reloading(): void;
  stopping(): void;
}

/** Where others on this host can read how the agent is. Resolves when that is done or cannot be, and never rejects. */
export interface StatusBoard {
  show(report: StatusReport): Promise<void>;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One constant sentence per event; what varies goes into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
