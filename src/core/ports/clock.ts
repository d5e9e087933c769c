/** Ports for time: the clock, the time service, and the memory of clock offsets. */

/** Clock offsets of this boot, from time since boot to Unix time, ms. */
export interface StoredOffsets {
  /** Dates the readings taken before the clock was synchronised; the same for every process of the boot. */
  readonly firstMs: number;
  /** The last accepted offset, if a time service confirmed it. */
  readonly believedMs?: number;
  /** When they were saved, ms since boot. */
  readonly savedBootMs?: number;
}

/** What a wait needs of an abort signal. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Wall time dates readings; monotonic time measures waits and rates. */
export interface Clock {
  /** Unix milliseconds of the wall clock, which may be wrong and may step. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin; never steps, never goes back. */
  monotonicMs(): number;
  /** Identifies this boot of the host: the same for every process, different for every boot. */
  readonly bootId: string;
  /** Milliseconds since boot, suspended time included; the same for every process; never steps. */
  bootMs(): number;
  /**
   * Resolves after `ms`, or at once when the signal aborts. Never rejects: the caller checks
   * `signal.aborted`.
   */
  sleep(ms: number, signal: StopSignal): Promise<void>;
}

/** The time service of the host. Both methods may take seconds and never reject. */
export interface TimeSync {
  /** True if a time service has set the clock in this boot. A plausible time proves nothing. */
  isSynchronised(signal: AbortSignal): Promise<boolean>;
  /** Called after a step of the clock: true if a time service has set or confirmed the clock since. */
  confirmsStep(signal: AbortSignal): Promise<boolean>;
}

/** Keeps the offsets for the next process of this boot, without a flash write. */
export interface OffsetMemory {
  /**
   * The offsets of an earlier process of this boot; undefined if there are none or they cannot be read. Never
   * throws.
   */
  load(): StoredOffsets | undefined;
  /** Saves the offsets before it returns. Never throws: a failure is logged once. */
  save(offsets: StoredOffsets): void;
}

/** The state of the clock as `firstlight status` shows it. `step unconfirmed`: the clock was set, but no time service has confirmed the new time. */
export type ClockState = 'trusted' | 'synchronised' | 'step unconfirmed' | 'not synchronised';
