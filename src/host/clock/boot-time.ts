/**
 * The time since this host booted, suspends included, and the name of the boot: what dates what no calendar can date yet.
 *
 * Counted by CLOCK_MONOTONIC, which begins at the boot for every process alike, never steps, and stands still while the host
 * is suspended. What it missed is seen from /proc/uptime, which counts on (CLOCK_BOOTTIME): it is looked at once at the
 * start, then at most every few seconds when somebody asks, and at once when the wall clock has moved apart, as it does in
 * a suspend. So the time leaps over a suspend when the host wakes, and never goes back.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BootTimeOptions {
  /** `/` on a host; a made-up tree in a test. */
  readonly root: string;
  readonly wallMs: () => number;
  /** CLOCK_MONOTONIC; only a test gives another. */
  readonly monotonicMs?: () => number;
}

export class BootTime {
  /** One that nobody else has when the kernel does not tell: nothing is ever mistaken for this boot's. */
  readonly bootId: string;
  readonly #uptimePath: string;
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #suspendedMs = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #wallAheadMs = 0;

  constructor({ root, wallMs, monotonicMs = sinceBootMs }: BootTimeOptions) {
    this.bootId = readBootId(root);
    this.#uptimePath = join(root, 'proc/uptime');
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    this.bootMs();
  }

  bootMs(): number {
    const monotonicMs = this.#monotonicMs();
    const wallAheadMs = this.#wallMs() - monotonicMs;
    const isDue = monotonicMs - this.#readAtMs >= READ_EVERY_MS;
    if (isDue || Math.abs(wallAheadMs - this.#wallAheadMs) > MOVED_MS) {
      this.#readAtMs = monotonicMs;
      this.#readUptime(monotonicMs);
    }
    this.#wallAheadMs = wallAheadMs;
    return monotonicMs + this.#suspendedMs;
  }

  #readUptime(monotonicMs: number): void {
    const uptimeMs = readUptimeMs(this.#uptimePath);
    // Who was stopped between the two looks (SIGSTOP, a frozen cgroup) has compared two different instants.
    if (this.#monotonicMs() - monotonicMs > STALL_MS_MAX) return;
    const suspendedMs = uptimeMs - monotonicMs;
    // By more than a second only: /proc/uptime counts hundredths, and the time must not creep with every look.
    // A container may have an uptime of its own, which is smaller; and the sum never shrinks.
    if (suspendedMs - this.#suspendedMs > SUSPEND_MS_MIN) this.#suspendedMs = suspendedMs;
  }
}

/** Reading the file costs 30 µs; nobody asks for the time more than once a second or so. */
const READ_EVERY_MS = 5000;
const MOVED_MS = 500;
const SUSPEND_MS_MIN = 1000;
const STALL_MS_MAX = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function sinceBootMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

function readBootId(root: string): string {
  const text = readText(join(root, 'proc/sys/kernel/random/boot_id')).trim();
  return UUID.test(text) ? text : randomUUID();
}

/** NaN when it cannot be read, which is more than nothing never. */
function readUptimeMs(path: string): number {
  const seconds = /^(\d+(?:\.\d+)?)\s/.exec(readText(path))?.[1];
  return Number(seconds) * 1000;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
