/** Asks a yes-or-no question. Any other answer, and an interruption, means no. */

import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';

/** Where to ask and where to print. */
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
