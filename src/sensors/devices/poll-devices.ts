/**
 * Rounds over devices that may be slow, pulled out or broken: one after another, so that a collector holds one thread at most, and
 * none costs another its values.
 *
 * What a driver has no value for at present is absent. A device that fails is not asked for the rest of its values in that
 * round, unless it said itself that only this one is broken (BrokenPartError). One that needed long to fail, as a stuck bus does, is left alone for a minute, because a reading waits two seconds in
 * all and the others must still come into it; meanwhile its failure stands. A file that has gone means that the host has
 * changed: `gone` is told.
 */

import { errorCode } from '../../core/model/error-code.ts';
import type { Value } from '../../core/model/reading.ts';
import { asError, InvalidValueError } from '../files/errors.ts';
import type { HostFiles } from '../files/host-files.ts';
import { isAbsentError } from '../files/optional-files.ts';
import { splitLines } from '../files/parse.ts';
import { type Measurements, type MonotonicClock, PartialReadError } from '../runtime/collector.ts';

/** One value of one device. */
export interface DeviceValue {
  /** Which device: a path, or whatever tells it from the others. */
  readonly device: string;
  readonly key: string;
  /** Undefined: there is none at present. Rejects with a reason that names the file. */
  read(): Promise<Value | undefined>;
}

/** A device that answers, and says that what one of its values comes from is broken: an input nothing is wired to. */
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

  constructor(clock: MonotonicClock, onMissing: () => void) {
    this.#clock = clock;
    this.#onMissing = onMissing;
  }

  /** A host without such devices is not made to wait, not even for a turn of the event loop. */
  poll(deviceValues: readonly DeviceValue[]): Measurements | Promise<Measurements> {
    return deviceValues.length === 0 ? NO_VALUES : this.pollAll(deviceValues);
  }

  /** What all probes gave. Rejects with a PartlyReadError when one of them failed. */
  async pollAll(deviceValues: readonly DeviceValue[]): Promise<Measurements> {
    const measurements: Record<string, Value> = {};
    const failures = this.#backedOff();
    const reasons = new Map(failures);
    for (const deviceValue of deviceValues) {
      if (failures.has(deviceValue.device)) continue;
      const reason = await this.#readOne(deviceValue, measurements);
      if (reason === undefined) continue;
      if (!(reason instanceof FaultyChannelError)) failures.set(deviceValue.device, reason);
      reasons.set(reason instanceof FaultyChannelError ? deviceValue.key : deviceValue.device, reason);
    }
    if (reasons.size > 0) throw new PartialReadError(measurements, reasons);
    return measurements;
  }

  /** Those of which it is known that they do not answer. */
  #backedOff(): Map<string, Error> {
    const nowMs = this.#clock.monotonicMs();
    for (const [device, { untilMs }] of this.#failures) {
      if (nowMs >= untilMs) this.#failures.delete(device);
    }
    return new Map([...this.#failures].map(([device, { reason }]) => [device, reason]));
  }

  async #readOne(
    { device, key, read: pollAll }: DeviceValue,
    measurements: Record<string, Value>,
  ): Promise<Error | undefined> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const value = await pollAll();
      if (value !== undefined) measurements[key] = value;
      return undefined;
    } catch (error) {
      if (isAbsentError(error)) {
        if (isMissing(error)) this.#onMissing();
        return undefined;
      }
      const reason = asError(error);
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - startedMs >= SLOW_FAILURE_MS)
        this.#failures.set(device, { reason, untilMs: nowMs + BACK_OFF_MS });
      return reason;
    }
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Asks a device for the one line of a file; without white space at its ends. */
export async function readLine(hostFiles: HostFiles, path: string): Promise<string> {
  const lines = splitLines(await hostFiles.readBlocking(path), path);
  if (lines.length > 1) throw new InvalidValueError(`/${path} has ${lines.length} lines`);
  return (lines[0] ?? '').trim();
}
