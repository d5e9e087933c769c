/**
 * Virtual time: one queue of what is due, for the gateway, the server and the network between them.
 *
 * `run` takes the earliest entry, moves the time there, does it, and lets everything it set off settle before
 * the next one; equal times in the order they were asked for. So a run depends on its seed only. A clock made
 * here passes test/contracts/clock.ts.
 */

import type { Clock } from '../../src/core/ports/clock.ts';

/** A power of two, so that differences of times are exact: a sleeper that is woken is never a rounding error too early. */
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
      entry.action = undefined; // stays in the heap as nothing until it is due
    };
  }

  /** A host boots, now. */
  boot(): VirtualBoot {
    this.#boots += 1;
    const number = String(this.#boots).padStart(12, '0');
    return { bootId: `5b00075e-c0de-4b00-8000-${number}`, atMs: this.#nowMs };
  }

  /**
   * The clock of a process that starts now: shows `wallMs`, and a monotonic time that begins now. Unless it is given a
   * boot it shares with others, its host has booted for it.
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

  /** Lets time pass until `untilMs`, or until `isOver` says so after some step. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    await settled();
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
      await settled();
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
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
      if (parent === undefined || !earlier(entry, parent)) break;
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
      const ranAt = 2 * at + 1;
      const left = heap[ranAt];
      if (left === undefined) break;
      const right = heap[ranAt + 1];
      const isRight = right !== undefined && earlier(right, left);
      const child = isRight ? right : left;
      if (!earlier(child, last)) break;
      heap[at] = child;
      at = isRight ? ranAt + 1 : ranAt;
    }
    heap[at] = last;
  }
}

function earlier(one: Entry, other: Entry): boolean {
  return one.dueMs === other.dueMs ? one.order < other.order : one.dueMs < other.dueMs;
}

/** One turn of the event loop: every microtask queued until now, and those they queue, have run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
