/**
 * Retry-After (RFC 9110 section 10.2.3): when whoever answers wants to be asked again. Pure.
 *
 * ThingsBoard never says it (contract section 10); what stands in front of it does, when it limits or is being mended.
 * A date counts from the answer's own Date, because our clock may be wrong.
 */

/** Longer than that nobody keeps a gateway away: the longest wait that we make by ourselves (core/verdicts.ts), ms. */
export const RETRY_AFTER_MS_MAX = 60 * 60_000;

/** Undefined when it does not say so, or says something that is no time. Of `headers` those two are read. */
export function parseRetryAfter(headers: {
  readonly 'retry-after'?: string | undefined;
  readonly date?: string | undefined;
}): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : parseHttpDate(value) - parseHttpDate(headers.date ?? '');
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MS_MAX) : undefined;
}

/** JavaScript takes "7.5" for a day in July; a date of HTTP begins with that of the week (section 5.6.7). */
function parseHttpDate(text: string): number {
  return /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
}
