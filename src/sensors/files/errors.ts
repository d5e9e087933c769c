/** The error for text that is not a value of a sensor, and the conversion of any thrown value to an error. */

const QUOTED_CHARACTERS_MAX = 24;

/** The host returned something that cannot be a value of this sensor. */
export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';
  readonly code = 'SENSOR_INVALID_VALUE';
}

/** `description` names the file or field; at most 24 characters of the text are quoted. */
export function invalidText(description: string, text: string): InvalidValueError {
  return new InvalidValueError(
    `${description} is invalid: ${JSON.stringify(text.slice(0, QUOTED_CHARACTERS_MAX))}`,
  );
}

export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
