/** What the system said, taken out of the error it said it with. */

/** ENOSPC, EROFS, EIO, …; undefined for what is no refusal of the system but a bug of ours. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What an error says, for a field of the log. */
export function seen(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
