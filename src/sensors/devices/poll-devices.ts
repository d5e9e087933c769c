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
import { asError, NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import { isAbsence } from '../files/optional-files.ts';
import { wholeLines } from '../files/parse.ts';
import { type Measured, type MonotonicClock, PartlyReadError } from '../runtime/collector.ts';

/** One value of one device. */
export interface Probe {
  /** Which device: a path, or whatever tells it from the others. */
  readonly device: string;
  readonly key: string;
  /** Undefined: there is none at present. Rejects with a reason that names the file. */
  read(): Promise<Value | undefined>;
}

/** A device that answers, and says that what one of its values comes from is broken: an input nothing is wired to. */
export class BrokenPartError extends Error {
  override readonly name = 'BrokenPartError';
  readonly code = 'SENSOR_PART_BROKEN';
}

const NOTHING: Measured = {};
const LONG_MS = 250;
const LEFT_ALONE_MS = 60_000;

interface Failure {
  readonly reason: Error;
  readonly untilMs: number;
}

export class DeviceRounds {
  readonly #clock: MonotonicClock;
  readonly #gone: () => void;
  readonly #failures = new Map<string, Failure>();

  constructor(clock: MonotonicClock, gone: () => void) {
    this.#clock = clock;
    this.#gone = gone;
  }

  /** A host without such devices is not made to wait, not even for a turn of the event loop. */
  of(probes: readonly Probe[]): Measured | Promise<Measured> {
    return probes.length === 0 ? NOTHING : this.read(probes);
  }

  /** What all probes gave. Rejects with a PartlyReadError when one of them failed. */
  async read(probes: readonly Probe[]): Promise<Measured> {
    const measured: Record<string, Value> = {};
    const failed = this.#leftAlone();
    const reasons = new Map(failed);
    for (const probe of probes) {
      if (failed.has(probe.device)) continue;
      const reason = await this.#readOne(probe, measured);
      if (reason === undefined) continue;
      if (!(reason instanceof BrokenPartError)) failed.set(probe.device, reason);
      reasons.set(reason instanceof BrokenPartError ? probe.key : probe.device, reason);
    }
    if (reasons.size > 0) throw new PartlyReadError(measured, reasons);
    return measured;
  }

  /** Those of which it is known that they do not answer. */
  #leftAlone(): Map<string, Error> {
    const nowMs = this.#clock.monotonicMs();
    for (const [device, { untilMs }] of this.#failures) {
      if (nowMs >= untilMs) this.#failures.delete(device);
    }
    return new Map([...this.#failures].map(([device, { reason }]) => [device, reason]));
  }

  async #readOne({ device, key, read }: Probe, into: Record<string, Value>): Promise<Error | undefined> {
    const startedMs = this.#clock.monotonicMs();
    try {
      const value = await read();
      if (value !== undefined) into[key] = value;
      return undefined;
    } catch (error) {
      if (isAbsence(error)) {
        if (isMissing(error)) this.#gone();
        return undefined;
      }
      const reason = asError(error);
      const nowMs = this.#clock.monotonicMs();
      if (nowMs - startedMs >= LONG_MS)
        this.#failures.set(device, { reason, untilMs: nowMs + LEFT_ALONE_MS });
      return reason;
    }
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Asks a device for the one line of a file; without white space at its ends. */
export async function askLine(tree: Tree, path: string): Promise<string> {
  const lines = wholeLines(await tree.readSlowly(path), path);
  if (lines.length > 1) throw new NonsenseError(`/${path} has ${lines.length} lines`);
  return (lines[0] ?? '').trim();
}
