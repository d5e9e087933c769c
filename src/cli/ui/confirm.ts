/** A question that is answered with yes or no; anything else, and an interruption, is no. */

import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';

/** Whom to ask, and where to tell. */
export interface Console {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly out: NodeJS.WritableStream;
}

export async function confirm(
  { input, out }: Console,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  const lines = createInterface({ input, output: out });
  try {
    return /^y(es)?$/i.test((await lines.question(question, { signal })).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
