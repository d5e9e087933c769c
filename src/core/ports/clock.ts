/** Ports for time: the clock, the time service, and what one process of a boot leaves the next about the clock. */

/** What processes of this boot have found out about its clock: offsets from time since boot to Unix time, ms. */
export interface StoredOffsets {
  /** Dates the readings of this boot that were taken before its clock was right; the same for every process. */
  readonly firstMs: number;
  /** The one believed last, if a time service vouched for it. */
  readonly believedMs?: number;
}

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
  load(): StoredOffsets | undefined;
  /** When it returns, the next process finds it. Never throws: what cannot be kept is told once. */
  save(offsets: StoredOffsets): void;
}
