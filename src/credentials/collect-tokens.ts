/**
 * Every token in the credential files and in the records set aside beside them, also in torn ones: for whoever wants to be sure that
 * none is in a text. Changes nothing, never rejects.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import { Secret } from '../core/model/secret.ts';
import { openRegularFile } from './regular-file.ts';
import { StoreError } from './store-error.ts';

const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 64 * 1024;
const TOKEN = /"(?:token|previousToken)"\s*:\s*("(?:[^"\\]|\\.)*"?)/g;

export interface TokenScan {
  readonly tokens: readonly Secret[];
  /** Each place that could not be looked through, and why: "PATH, which …". None: every token is known. */
  readonly unreadable: readonly string[];
}

export async function collectTokens(directory: string): Promise<TokenScan> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).filter((name) => name.startsWith('credentials'));
  } catch (error) {
    return {
      tokens: [],
      unreadable: errorCode(error) === 'ENOENT' ? [] : [`${directory}, ${unreadableReason(error)}`],
    };
  }
  const tokens: Secret[] = [];
  const unreadable = names
    .slice(FILES_MAX)
    .slice(0, 1)
    .map((name) => `${join(directory, name)} and others, which are more than ${FILES_MAX} files`);
  for (const name of names.slice(0, FILES_MAX)) {
    const path = join(directory, name);
    try {
      tokens.push(...(await tokensIn(path)));
    } catch (error) {
      unreadable.push(
        `${path}, ${error instanceof FileTooLargeError ? error.message : unreadableReason(error)}`,
      );
    }
  }
  return { tokens, unreadable };
}

class FileTooLargeError extends Error {
  override readonly name = 'TooLarge';
  readonly code = 'TOO_LARGE';
}

async function tokensIn(path: string): Promise<readonly Secret[]> {
  await using handle = await openRegularFile(path);
  if ((await handle.stat()).size > FILE_BYTES_MAX)
    throw new FileTooLargeError(`which has more than ${FILE_BYTES_MAX / 1024} KiB`);
  const text = await handle.readFile('utf8');
  return [...text.matchAll(TOKEN)].map(([, literal = '']) => new Secret(unquote(literal)));
}

function unreadableReason(error: unknown): string {
  if (error instanceof StoreError) return 'which is a link or the like and no file, and is not followed';
  return errorCode(error) === 'EACCES'
    ? 'which may not be read by this user: run it with sudo'
    : `which cannot be read (${errorCode(error) ?? 'no code'})`;
}

/** A literal that is torn off is taken as it stands. */
function unquote(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal.replace(/^"/, '');
  }
}
