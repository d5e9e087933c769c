/** The code and the message of an unknown error. */

/**
 * Such as `ENOENT`, `ECONNRESET`, `ERR_SSL_…`; undefined if there is none or it is a number, such as an exit
 * code.
 */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
