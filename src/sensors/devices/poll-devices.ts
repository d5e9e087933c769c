/**
 * Reads devices that can be slow, absent or broken, one after another, so that a collector occupies one
 * thread. A device that fails is skipped for the rest of the round, unless it works and only one value is
 * invalid, or it reports a fault of one channel (FaultyChannelError). A device that failed slowly three times
 * in a row, as on a stuck bus, is skipped for a minute, because a sample waits two seconds in all; a single
 * time is normal for some sensors.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { Value } from '../../core/model/reading.ts';
import type { ReadLane } from '../files/blocking-reads.ts';
import type { HostFiles } from '../files/host-files.ts';
import { isAbsentError } from '../files/optional-files.ts';
import { asError, InvalidValueError, splitLines } from '../files/parse.ts';
import { type Measurements, type MonotonicClock, PartialReadError } from '../runtime/collector.ts';

/** One value of one device. */
export interface DeviceValue {
  /** Identifies the device, usually its path. */
  readonly device: string;
  readonly key: string;
  /** Undefined: no value at present. Rejects with an error that names the file. */
  read(): Promise<Value | undefined>;
}

/** A working device reports a fault of one channel, such as an input without a sensor. */
export class FaultyChannelError extends Error {
  override readonly name = 'FaultyChannelError';
  readonly code = 'SENSOR_CHANNEL_FAULTY';
}

const SLOW_FAILURE_MS = 250;
const SLOW_FAILURES_IN_ROW = 3;
const BACK_OFF_MS = 60_000;

/** Slow failures of a device, and until when it is not read. */
interface SlowFailure {
  readonly reason: Error;
  readonly count: number;
  readonly untilMs: number;
}

export class DevicePoller {
  readonly #clock: MonotonicClock;
  readonly #onMissing: () => void;
  readonly #slow = new Map<string, SlowFailure>();
  readonly #unresolved: UnresolvedFailures;

  /** `onMissing`: a file has disappeared, so the devices must be searched again. */
  constructor(clock: MonotonicClock, onMissing: () => void) {
    this.#clock = clock;
    this.#onMissing = onMissing;
    this.#unresolved = new UnresolvedFailures(clock);
  }

  /** Synchronous without devices, so that the sample does not wait for a turn of the event loop. */
  poll(deviceValues: readonly DeviceValue[]): Measurements | Promise<Measurements> {
    return deviceValues.length === 0 ? this.#result({}) : this.pollAll(deviceValues);
  }

  /** Rejects with a PartialReadError if a read failed, or a device that failed is missing. */
  async pollAll(deviceValues: readonly DeviceValue[]): Promise<Measurements> {
    const measurements: Record<string, Value> = {};
    const failures = this.#backedOff();
    const skipped = new Set(failures.keys());
    const worked = new Set<string>();
    for (const deviceValue of deviceValues) {
      const { device, key } = deviceValue;
      if (skipped.has(device)) continue;
      const outcome = await this.#readOne(deviceValue, measurements);
      if (outcome === 'worked') worked.add(device).add(key);
      else if (outcome instanceof FaultyChannelError) failures.set(key, outcome);
      else if (outcome !== 'absent') {
        if (!failures.has(device)) failures.set(device, outcome);
        if (!(outcome instanceof InvalidValueError)) skipped.add(device);
      }
    }
    for (const id of worked) if (!failures.has(id)) this.#unresolved.resolve(id);
    for (const [id, reason] of failures) this.#unresolved.fail(id, reason);
    return this.#result(measurements);
  }

  #result(measurements: Measurements): Measurements {
    const { reasons } = this.#unresolved;
    if (reasons.size > 0) throw new PartialReadError(measurements, reasons);
    return measurements;
  }

  /** The devices that are skipped, with the failure that stands meanwhile. */
  #backedOff(): Map<string, Error> {
    const nowMs = this.#clock.monotonicMs();
    const active = [...this.#slow].filter(([, { untilMs }]) => nowMs < untilMs);
    return new Map(active.map(([device, { reason }]) => [device, reason]));
  }

  async #readOne(
    { device, key, read }: DeviceValue,
    measurements: Record<string, Value>,
  ): Promise<'worked' | 'absent' | Error> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const value = await read();
      if (value !== undefined) measurements[key] = value;
      this.#slow.delete(device);
      return 'worked';
    } catch (error) {
      if (isAbsentError(error)) {
        if (isMissing(error)) this.#onMissing();
        return 'absent';
      }
      const reason = asError(error);
      if (!(reason instanceof FaultyChannelError))
        this.#noteDuration(device, reason, this.#clock.monotonicMs() - startedMs);
      return reason;
    }
  }

  #noteDuration(device: string, reason: Error, durationMs: number): void {
    if (durationMs < SLOW_FAILURE_MS) {
      this.#slow.delete(device);
      return;
    }
    const count = (this.#slow.get(device)?.count ?? 0) + 1;
    const backOffMs = count >= SLOW_FAILURES_IN_ROW ? BACK_OFF_MS : 0;
    this.#slow.set(device, { reason, count, untilMs: this.#clock.monotonicMs() + backOffMs });
  }
}

const REMOVED_AFTER_MS = 3_600_000;
const NO_FAILURES: ReadonlyMap<string, Error> = new Map();

/**
 * The failures of devices, each until the device has been read again. A device that fails and then disappears,
 * as one with a loose contact does, has not been repaired; after an hour it counts as removed.
 */
export class UnresolvedFailures {
  readonly #clock: MonotonicClock;
  readonly #failures = new Map<string, { readonly reason: Error; readonly atMs: number }>();

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
  }

  /** By device, or by whatever else fails by itself. */
  get reasons(): ReadonlyMap<string, Error> {
    if (this.#failures.size === 0) return NO_FAILURES;
    const nowMs = this.#clock.monotonicMs();
    for (const [id, { atMs }] of this.#failures) {
      if (nowMs - atMs >= REMOVED_AFTER_MS) this.#failures.delete(id);
    }
    return new Map([...this.#failures].map(([id, { reason }]) => [id, reason]));
  }

  fail(id: string, reason: Error): void {
    this.#failures.set(id, { reason, atMs: this.#clock.monotonicMs() });
  }

  resolve(id: string): void {
    this.#failures.delete(id);
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Reads the single line of a device attribute, trimmed. */
export async function readLine(hostFiles: HostFiles, path: string, lane?: ReadLane): Promise<string> {
  const lines = splitLines(await hostFiles.readBlocking(path, lane), path);
  if (lines.length > 1) throw new InvalidValueError(`/${path} has ${lines.length} lines`);
  return (lines[0] ?? '').trim();
}
