/** Errors of a collector: a value that cannot be right. */

/** What the host said cannot be a value of this sensor. */
export class NonsenseError extends Error {
  override readonly name = 'NonsenseError';
  readonly code = 'SENSOR_NONSENSE';
}

/** What was thrown, as an error also when somebody threw something else. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
