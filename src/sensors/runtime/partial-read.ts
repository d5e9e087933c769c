/**
 * The values of one round, and the failures of single devices, files or fields: one that fails costs its own
 * values and no others. Failures that have one cause have one name, because each name is logged.
 */

import type { Value } from '../../core/model/reading.ts';
import { asError } from '../files/parse.ts';
import { type Measurements, PartialReadError } from './collector.ts';

export class PartialRead {
  readonly values: Record<string, Value | undefined> = {};
  #failures: Map<string, Error> | undefined;

  /** Adds what `read` returns. If it throws, the device of that name has failed. */
  attempt(device: string, read: () => Measurements | undefined): void {
    try {
      Object.assign(this.values, read());
    } catch (error) {
      this.fail(device, error);
    }
  }

  /** Like `attempt`, for one value. */
  attemptValue(device: string, key: string, read: () => Value | undefined): void {
    try {
      this.values[key] = read();
    } catch (error) {
      this.fail(device, error);
    }
  }

  /** The device, file or field of that name has failed; its first failure counts. */
  fail(device: string, error: unknown): void {
    this.#failures ??= new Map();
    if (!this.#failures.has(device)) this.#failures.set(device, asError(error));
  }

  /** The values. Throws a PartialReadError with them if anything failed. */
  result(): Measurements {
    if (this.#failures !== undefined) throw new PartialReadError(this.values, this.#failures);
    return this.values;
  }
}
