/**
 * Reads devices that can be slow, absent or broken, one after another, so that a collector occupies one
 * thread. A device that fails is skipped for the rest of the round, unless it works and only one value is
 * invalid, or it reports a fault of one channel (FaultyChannelError). A device that failed slowly, as on a stuck bus, is skipped for a minute, because
 * a sample waits two seconds in all.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { Value } from '../../core/model/reading.ts';
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

const NO_VALUES: Measurements = {};
const SLOW_FAILURE_MS = 250;
const BACK_OFF_MS = 60_000;

interface DeviceFailure {
  readonly reason: Error;
  readonly untilMs: number;
}

export class DevicePoller {
  readonly #clock: MonotonicClock;
  readonly #onMissing: () => void;
  readonly #failures = new Map<string, DeviceFailure>();

  /** `onMissing`: a file has disappeared, so the devices must be searched again. */
  constructor(clock: MonotonicClock, onMissing: () => void) {
    this.#clock = clock;
    this.#onMissing = onMissing;
  }

  /** Synchronous without devices, so that the sample does not wait for a turn of the event loop. */
  poll(deviceValues: readonly DeviceValue[]): Measurements | Promise<Measurements> {
    return deviceValues.length === 0 ? NO_VALUES : this.pollAll(deviceValues);
  }

  /** Rejects with a PartialReadError if a read failed. */
  async pollAll(deviceValues: readonly DeviceValue[]): Promise<Measurements> {
    const measurements: Record<string, Value> = {};
    const failures = this.#backedOff();
    const reasons = new Map(failures);
    for (const deviceValue of deviceValues) {
      if (failures.has(deviceValue.device)) continue;
      const reason = await this.#readOne(deviceValue, measurements);
      if (reason === undefined) continue;
      const isFaultyChannel = reason instanceof FaultyChannelError;
      if (!isFaultyChannel && !(reason instanceof InvalidValueError))
        failures.set(deviceValue.device, reason);
      reasons.set(isFaultyChannel ? deviceValue.key : deviceValue.device, reason);
    }
    if (reasons.size > 0) throw new PartialReadError(measurements, reasons);
    return measurements;
  }

  /** The devices that are skipped, with the failure that stands meanwhile. */
  #backedOff(): Map<string, Error> {
    const nowMs = this.#clock.monotonicMs();
    for (const [device, { untilMs }] of this.#failures) {
      if (nowMs >= untilMs) this.#failures.delete(device);
    }
    return new Map([...this.#failures].map(([device, { reason }]) => [device, reason]));
  }

  async #readOne(deviceValue: DeviceValue, measurements: Record<string, Value>): Promise<Error | undefined> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const value = await deviceValue.read();
      if (value !== undefined) measurements[deviceValue.key] = value;
      return undefined;
    } catch (error) {
      if (isAbsentError(error)) {
        if (isMissing(error)) this.#onMissing();
        return undefined;
      }
      const reason = asError(error);
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - startedMs >= SLOW_FAILURE_MS)
        this.#failures.set(deviceValue.device, { reason, untilMs: nowMs + BACK_OFF_MS });
      return reason;
    }
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Reads the single line of a device attribute, trimmed. */
export async function readLine(hostFiles: HostFiles, path: string): Promise<string> {
  const lines = splitLines(await hostFiles.readBlocking(path), path);
  if (lines.length > 1) throw new InvalidValueError(`/${path} has ${lines.length} lines`);
  return (lines[0] ?? '').trim();
}
