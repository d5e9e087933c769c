/**
 * Keeps one message from flooding the log: a window admits a number of lines, then suppresses the rest, and
 * reports their number once when it ends.
 *
 * A window begins with its first line and belongs to one message, so messages must be constant texts. The
 * number of windows is bounded; above it the oldest ends early, so every suppressed line is counted.
 */

import type { Clock } from '../../core/ports/clock.ts';

export interface RateLimits {
  readonly lines: number;
  readonly windowMs: number;
}

export const DEFAULT_LIMITS: RateLimits = { lines: 10, windowMs: 60_000 };

/** Far more than the program has messages. */
const WINDOWS_MAX = 1000;

interface Window<Level> {
  readonly endsMs: number;
  level: Level;
  lines: number;
  suppressed: number;
}

export type ReportSuppressed<Level> = (level: Level, message: string, suppressed: number) => void;

export class RateLimit<Level> {
  readonly #clock: Clock;
  readonly #limits: RateLimits;
  readonly #report: ReportSuppressed<Level>;
  readonly #windows = new Map<string, Window<Level>>();
  readonly #closed = new AbortController();

  constructor(clock: Clock, limits: RateLimits, report: ReportSuppressed<Level>) {
    this.#clock = clock;
    this.#limits = limits;
    this.#report = report;
  }

  /** Whether this line may be written. */
  allows(level: Level, message: string): boolean {
    const window = this.#windowOf(level, message);
    window.lines++;
    if (window.lines <= this.#limits.lines) return true;
    window.level = level;
    window.suppressed++;
    if (window.suppressed === 1) void this.#endWhenDue(message, window);
    return false;
  }

  /** Ends every window and reports its suppressed lines. */
  close(): void {
    this.#closed.abort();
    for (const [message, window] of [...this.#windows]) this.#end(message, window);
  }

  #windowOf(level: Level, message: string): Window<Level> {
    const nowMs = this.#clock.monotonicMs();
    const current = this.#windows.get(message);
    if (current !== undefined && nowMs < current.endsMs) return current;
    if (current !== undefined) this.#end(message, current);
    const [oldest] = this.#windows;
    if (oldest !== undefined && this.#windows.size >= WINDOWS_MAX) this.#end(...oldest);
    const created: Window<Level> = { endsMs: nowMs + this.#limits.windowMs, level, lines: 0, suppressed: 0 };
    this.#windows.set(message, created);
    return created;
  }

  async #endWhenDue(message: string, window: Window<Level>): Promise<void> {
    await this.#clock.sleep(window.endsMs - this.#clock.monotonicMs(), this.#closed.signal);
    this.#end(message, window);
  }

  #end(message: string, window: Window<Level>): void {
    if (this.#windows.get(message) !== window) return;
    this.#windows.delete(message);
    if (window.suppressed > 0) this.#report(window.level, message, window.suppressed);
  }
}
