/**
 * Collects the tokens of all credential files, including archived and truncated ones, so that a caller can redact them. Changes
 * nothing, never rejects.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/model/error-code.ts';
import { Secret } from '../core/model/secret.ts';
import { openRegularFile } from './private-files.ts';
import { StoreError } from './store-error.ts';

const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 64 * 1024;
const TOKEN = /"(?:token|previousToken)"\s*:\s*("(?:[^"\\]|\\.)*"?)/g;

export interface TokenScan {
  readonly tokens: readonly Secret[];
  /** Each place that could not be read, with the reason: "PATH, which …". If empty, `tokens` is complete. */
  readonly unreadable: readonly string[];
}

export async function collectTokens(directory: string): Promise<TokenScan> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).filter((name) => name.startsWith('credentials'));
  } catch (error) {
    return {
      tokens: [],
      unreadable: errorCode(error) === 'ENOENT' ? [] : [`${directory}, ${describeReadError(error)}`],
    };
  }
  const tokens: Secret[] = [];
  const unreadable = names
    .slice(FILES_MAX)
    .slice(0, 1)
    .map(
      (name) => `${join(directory, name)} and further files, which exceed the limit of ${FILES_MAX} files`,
    );
  for (const name of names.slice(0, FILES_MAX)) {
    const path = join(directory, name);
    try {
      tokens.push(...(await readTokens(path)));
    } catch (error) {
      unreadable.push(
        `${path}, ${error instanceof FileTooLargeError ? error.message : describeReadError(error)}`,
      );
    }
  }
  return { tokens, unreadable };
}

class FileTooLargeError extends Error {
  override readonly name = 'FileTooLargeError';
  readonly code = 'TOO_LARGE';
}

async function readTokens(path: string): Promise<readonly Secret[]> {
  await using handle = await openRegularFile(path);
  if ((await handle.stat()).size > FILE_BYTES_MAX)
    throw new FileTooLargeError(`which is larger than ${FILE_BYTES_MAX / 1024} KiB`);
  const text = await handle.readFile('utf8');
  return [...text.matchAll(TOKEN)].map(([, literal = '']) => new Secret(unquote(literal)));
}

function describeReadError(error: unknown): string {
  if (error instanceof StoreError) return 'which is not a regular file and was not read';
  return errorCode(error) === 'EACCES'
    ? 'which is not readable by this user: run with sudo'
    : `which cannot be read (${errorCode(error) ?? 'no code'})`;
}

/** A truncated literal is returned as it is. */
function unquote(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal.replace(/^"/, '');
  }
}
