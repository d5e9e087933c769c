/**
 * Every token in the credential files and in the records set aside beside them, also in torn ones: for whoever wants to be sure that
 * none is in a text. Changes nothing, never rejects.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../core/secret.ts';
import { openRegularFile } from './regular-file.ts';

const FILES_MAX = 1_000;
const FILE_BYTES_MAX = 64 * 1024;
const TOKEN = /"(?:token|previousToken)"\s*:\s*("(?:[^"\\]|\\.)*"?)/g;

export interface KnownTokens {
  readonly tokens: readonly Secret[];
  /** False: this user may not look, or there is more than is looked at. */
  readonly isComplete: boolean;
}

export async function knownTokens(directory: string): Promise<KnownTokens> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).filter((name) => name.startsWith('credentials'));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { tokens: [], isComplete: isMissing };
  }
  const found = await Promise.all(names.slice(0, FILES_MAX).map((name) => tokensIn(join(directory, name))));
  return {
    tokens: found.flatMap((tokens) => tokens ?? []),
    isComplete: names.length <= FILES_MAX && found.every((tokens) => tokens !== undefined),
  };
}

async function tokensIn(path: string): Promise<readonly Secret[] | undefined> {
  try {
    await using handle = await openRegularFile(path);
    if ((await handle.stat()).size > FILE_BYTES_MAX) return undefined;
    const text = await handle.readFile('utf8');
    return [...text.matchAll(TOKEN)].map(([, literal = '']) => new Secret(unquoted(literal)));
  } catch {
    return undefined;
  }
}

/** A literal that is torn off is taken as it stands. */
function unquoted(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal.replace(/^"/, '');
  }
}
