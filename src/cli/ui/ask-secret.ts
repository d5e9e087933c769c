/** Asks for a secret at a terminal without showing it. */

import { Secret } from '../../core/model/secret.ts';
import type { Out } from './terminal.ts';

/** process.stdin is one. */
export interface SecretInput {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const ENTER = new Set(['\r', '\n']);
/** Ctrl-C and Ctrl-D, which reach the program as characters in raw mode. */
const CANCEL = new Set(['\u0003', '\u0004']);
const ERASE = new Set(['\b', '\u007f']);
const CHARACTERS_MAX = 4096;

/** Undefined if input is not a terminal, and after Ctrl-C or the end of `signal`. */
export async function askSecret(
  input: SecretInput,
  out: Out,
  question: string,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  if (input.isTTY !== true || signal.aborted) return undefined;
  out.write(question);
  input.setRawMode?.(true);
  let onData: (chunk: Buffer | string) => void = () => {};
  let onAbort: () => void = () => {};
  try {
    return await new Promise<Secret | undefined>((resolve) => {
      let typed: readonly string[] = [];
      onAbort = () => resolve(undefined);
      onData = (chunk) => {
        for (const character of chunk.toString()) {
          if (ENTER.has(character)) return resolve(new Secret(typed.join('')));
          if (CANCEL.has(character)) return resolve(undefined);
          if (ERASE.has(character)) typed = typed.slice(0, -1);
          else if (typed.length < CHARACTERS_MAX) typed = [...typed, character];
        }
      };
      signal.addEventListener('abort', onAbort, { once: true });
      input.on('data', onData);
      input.resume();
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    input.off('data', onData);
    input.setRawMode?.(false);
    input.pause();
    out.write('\n');
  }
}
