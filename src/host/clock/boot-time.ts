/**
 * The time since this host booted, including suspends, and the boot ID: they timestamp readings while the
 * date is unknown.
 *
 * CLOCK_MONOTONIC starts at the boot for every process and never steps, but stops during a suspend.
 * /proc/uptime (CLOCK_BOOTTIME) does not; it is read at the start, every few seconds on demand, and at once
 * if the wall clock has moved against CLOCK_MONOTONIC, as it does in a suspend. So the time jumps over a
 * suspend when the host wakes, and never goes back. A file that shows a suspend is read twice, because the
 * files of containers can be wrong once, and the time would stay wrong.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BootTimeOptions {
  /** `/`, or a directory tree of a test. */
  readonly root: string;
  readonly wallMs: () => number;
  /** Default: CLOCK_MONOTONIC. Set by tests only. */
  readonly monotonicMs?: () => number;
}

export class BootTime {
  /** A random one if the kernel's cannot be read, so that no record of another boot matches it. */
  readonly bootId: string;
  readonly #uptimePath: string;
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #suspendedMs = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #wallAheadMs = 0;

  constructor({ root, wallMs, monotonicMs = clockMonotonicMs }: BootTimeOptions) {
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
    if (isDue || Math.abs(wallAheadMs - this.#wallAheadMs) > WALL_STEP_MS_MIN) {
      this.#readAtMs = monotonicMs;
      this.#readUptime(monotonicMs);
    }
    this.#wallAheadMs = wallAheadMs;
    return monotonicMs + this.#suspendedMs;
  }

  #readUptime(monotonicMs: number): void {
    const uptimeMs = readUptimeMs(this.#uptimePath);
    // The process was stopped between the two reads (SIGSTOP, a frozen cgroup): their instants differ.
    if (this.#monotonicMs() - monotonicMs > STALL_MS_MAX) return;
    const suspendedMs = uptimeMs - monotonicMs;
    // Only by more than 1 s: /proc/uptime counts hundredths, and the time must not creep with every read.
    // The sum never shrinks; the uptime of a container can be smaller than the host's.
    if (!(suspendedMs - this.#suspendedMs > SUSPEND_MS_MIN)) return;
    if (Math.abs(readUptimeMs(this.#uptimePath) - uptimeMs) < SUSPEND_MS_MIN) this.#suspendedMs = suspendedMs;
  }
}

/** Reading the file costs 30 µs. */
const READ_EVERY_MS = 5000;
const WALL_STEP_MS_MIN = 500;
const SUSPEND_MS_MIN = 1000;
const STALL_MS_MAX = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function clockMonotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function readBootId(root: string): string {
  const text = readText(join(root, 'proc/sys/kernel/random/boot_id')).trim();
  return UUID.test(text) ? text : randomUUID();
}

/** NaN if it cannot be read, which compares as false. */
function readUptimeMs(path: string): number {
  const seconds = /^(\d{1,10}(?:\.\d+)?)\s/.exec(readText(path))?.[1];
  return Number(seconds) * 1000;
}

/** An object, because Node copies its defaults for the name of an encoding. */
const AS_TEXT = { encoding: 'utf8', flag: 'r' } as const;

function readText(path: string): string {
  try {
    return readFileSync(path, AS_TEXT);
  } catch {
    return '';
  }
}
