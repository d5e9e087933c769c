/**
 * Virtual time: one queue of timers for the gateway, the server and the network between them.
 *
 * `run` takes the earliest entry, sets the time to it, runs it, and waits until its effects have settled;
 * equal times run in the order of their request. So a run depends only on its seed. Its clock fulfils
 * test/contracts/clock.ts.
 */

import type { Clock, StopSignal } from '../../src/core/ports/clock.ts';

/** A power of two, so that differences of times are exact: no rounding error wakes a sleeper too early. */
const TICKS_PER_MS = 1024;

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

export interface VirtualBoot {
  readonly bootId: string;
  readonly atMs: number;
}

export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  #boots = 0;
  /** A binary heap, earliest first. */
  readonly #heap: Entry[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `action` once after `ms`, unless the returned function is called first. */
  after(ms: number, action: () => void): () => void {
    const dueMs = Math.ceil((this.#nowMs + Math.max(0, ms)) * TICKS_PER_MS) / TICKS_PER_MS;
    const entry: Entry = { dueMs, order: this.#order, action };
    this.#order += 1;
    if (Number.isFinite(dueMs)) this.#push(entry);
    return () => {
      entry.action = undefined; // the empty entry stays in the heap until it is due
    };
  }

  /** Boots a host now. */
  boot(): VirtualBoot {
    this.#boots += 1;
    const number = String(this.#boots).padStart(12, '0');
    return { bootId: `5b00075e-c0de-4b00-8000-${number}`, atMs: this.#nowMs };
  }

  /**
   * The clock of a process that starts now: it shows `wallMs`, and a monotonic time that begins now. By
   * default its host boots now, too.
   */
  clock(wallMs: number, boot: VirtualBoot = this.boot()): Clock {
    const startedMs = this.#nowMs;
    return {
      wallMs: () => wallMs + this.#nowMs - startedMs,
      monotonicMs: () => this.#nowMs - startedMs,
      bootId: boot.bootId,
      bootMs: () => this.#nowMs - boot.atMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  /** Lets time pass until `untilMs`, or until `isOver` returns true after a step. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settle();
    while (!isOver()) {
      const [next] = this.#heap;
      if (next === undefined || next.dueMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, Math.ceil(untilMs * TICKS_PER_MS) / TICKS_PER_MS);
        return;
      }
      this.#pop();
      const { action } = next;
      if (action === undefined) continue;
      this.#nowMs = next.dueMs;
      action();
      await settle();
    }
  }

  #sleep(ms: number, signal: StopSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || !(ms > 0)) {
        resolve();
        return;
      }
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.after(ms, end);
      signal.addEventListener('abort', end);
    });
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isEarlier(entry, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const leftAt = 2 * at + 1;
      const left = heap[leftAt];
      if (left === undefined) break;
      const right = heap[leftAt + 1];
      const isRight = right !== undefined && isEarlier(right, left);
      const child = isRight ? right : left;
      if (!isEarlier(child, last)) break;
      heap[at] = child;
      at = isRight ? leftAt + 1 : leftAt;
    }
    heap[at] = last;
  }
}

function isEarlier(one: Entry, other: Entry): boolean {
  return one.dueMs === other.dueMs ? one.order < other.order : one.dueMs < other.dueMs;
}

/** Waits for one turn of the event loop, in which all queued microtasks and those that they queue run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
