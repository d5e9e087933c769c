/**
 * ThingsBoard's limits of data points and messages (contract section 10): a message that would exceed one is refused as a whole,
 * and costs nothing. Keeps what it has stored.
 */

export interface Limit {
  readonly max: number;
  readonly perMs: number;
  /** Default: data points. */
  readonly of?: 'messages';
}

/** `20:1,600:60` data points. */
export const POINT_LIMITS: readonly Limit[] = [
  { max: 20, perMs: 1_000 },
  { max: 600, perMs: 60_000 },
];

interface Element {
  readonly ts?: number;
  readonly values?: Readonly<Record<string, unknown>>;
}

export class PointLimit {
  refused = 0;
  accepted = 0;
  /** How often each point was stored, by timestamp and key. */
  readonly stored = new Map<string, number>();
  readonly #limits: readonly Limit[];
  readonly #onStored: (ts: number, nowMs: number) => void;
  readonly #recent: { readonly atMs: number; readonly points: number }[] = [];

  /** `onStored` is called with the timestamp of each element. */
  constructor(limits: readonly Limit[], onStored: (ts: number, nowMs: number) => void = () => {}) {
    this.#limits = limits;
    this.#onStored = onStored;
  }

  /** Whether the telemetry is accepted; then it is stored. */
  admit(body: string, nowMs: number): boolean {
    const elements = JSON.parse(body) as readonly Element[];
    const keys = elements.flatMap(({ ts, values }) => Object.keys(values ?? {}).map((key) => `${ts} ${key}`));
    if (!this.#fits(keys.length, nowMs)) {
      this.refused += 1;
      return false;
    }
    this.accepted += 1;
    this.#recent.push({ atMs: nowMs, points: keys.length });
    for (const key of keys) this.stored.set(key, (this.stored.get(key) ?? 0) + 1);
    for (const { ts } of elements) if (ts !== undefined) this.#onStored(ts, nowMs);
    return true;
  }

  #fits(points: number, nowMs: number): boolean {
    const longestMs = Math.max(...this.#limits.map(({ perMs }) => perMs));
    while (this.#recent[0] && this.#recent[0].atMs <= nowMs - longestMs) this.#recent.shift();
    return this.#limits.every((limit) => {
      const within = this.#recent.filter(({ atMs }) => atMs > nowMs - limit.perMs);
      if (limit.of === 'messages') return within.length < limit.max;
      return within.reduce((sum, each) => sum + each.points, points) <= limit.max;
    });
  }
}
