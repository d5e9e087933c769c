/** The code and the message of whatever was thrown. */

/** `ENOENT`, `ECONNRESET`, `ERR_SSL_…`; undefined when there is none. A number, such as an exit code, does not count. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
