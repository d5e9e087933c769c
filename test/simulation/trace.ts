/**
 * The trace of one run: a hash of every event with its time, and optionally the events as lines.
 *
 * Two runs of one seed must have the same hash. CoAP message IDs and tokens are left out, because they are
 * random in each run and must not matter.
 */

export class Trace {
  readonly lines: string[] = [];
  readonly #keepsLines: boolean;
  readonly #nowMs: () => number;
  #events = 0;
  #low = 0x811c9dc5;
  #high = 0x01000193;

  constructor(nowMs: () => number, keepsLines: boolean) {
    this.#nowMs = nowMs;
    this.#keepsLines = keepsLines;
  }

  add(event: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${event}`;
    this.#events += 1;
    // FNV-1a with two different primes: 64 bits without bigint arithmetic.
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high ^ code, 0x85ebca6b);
    }
    if (this.#keepsLines) this.lines.push(line);
  }

  get events(): number {
    return this.#events;
  }

  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
