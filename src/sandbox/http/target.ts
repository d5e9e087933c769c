/**
 * A request's target taken apart: decoded path segments, without the empty one before the first slash, and the query.
 */

export interface Target {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** Undefined when a segment's percent-encoding is broken. */
export function parseTarget(url: string): Target | undefined {
  const [path = '', ...rest] = url.split('?');
  try {
    const segments = path.split('/').slice(1).map(decodeURIComponent);
    return { segments, query: new URLSearchParams(rest.join('?')) };
  } catch {
    return undefined;
  }
}
