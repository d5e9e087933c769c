/** Errors of a collector: a value that cannot be right. */

/** What the host said cannot be a value of this sensor. */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  readonly code = 'SENSOR_INVALID_VALUE';
}

/** What was thrown, as an error also when somebody threw something else. */
export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
