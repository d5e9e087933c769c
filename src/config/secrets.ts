/**
 * Which provisioning secret counts, and where it lies. The first of these that is there:
 *
 *   1. firstlight.secret in systemd's credentials directory     2. FIRSTLIGHT_PROVISIONING_SECRET
 *   3. the file FIRSTLIGHT_PROVISIONING_SECRET_FILE names       4. the file provisioning.secret-file names
 *   5. provisioning.secret in the file
 *
 * secret and secret-file in one and the same source is a problem, as nobody could say which was meant. Only the
 * file that counts is read. One newline at its end is the editor's and is taken off.
 */

import { join } from 'node:path';
import type { Secret } from '../core/secret.ts';
import type { Parsed, Reader } from './given.ts';
import { type Problem, place, problemAt, type Source } from './problem.ts';
import { readTextFile } from './read-file.ts';
import { settings } from './schema.ts';

export const CREDENTIAL_NAME = 'firstlight.secret';

const SECRET_FILE_BYTES_MAX = 4 * 1024;
const OTHERS_MAY_READ = 0o004;

export interface FoundSecret {
  /** Where the secret was looked for; it may still have been wrong. */
  readonly source: Source;
  readonly secret?: Secret;
  readonly warnings: readonly string[];
}

/** Undefined when no source speaks of a secret. What is wrong goes to the reader. */
export function findSecret(
  reader: Reader,
  credentialsDirectory: string | undefined,
): FoundSecret | undefined {
  const inline = reader.all(settings.provisioningSecret);
  const files = reader.all(settings.provisioningSecretFile);
  refuseBoth(reader, inline, files);
  if (credentialsDirectory !== undefined) {
    const path = join(credentialsDirectory, CREDENTIAL_NAME);
    const found = readSecretFile(reader, path, { name: path, via: 'credential' }, 'optional');
    if (found !== undefined) return found;
  }
  for (const via of ['environment', 'file'] as const) {
    const text = inline.find((each) => each.source.via === via);
    const file = files.find((each) => each.source.via === via);
    if (text !== undefined) return fromText(reader, text);
    if (file !== undefined) return readSecretFile(reader, file.value, file.source, 'required');
  }
  return undefined;
}

function refuseBoth(
  reader: Reader,
  inline: readonly Parsed<Secret>[],
  files: readonly Parsed<string>[],
): void {
  for (const { source } of files) {
    if (!inline.some((each) => each.source.via === source.via)) continue;
    const key = settings.provisioningSecretFile.key;
    const what = `is given together with ${settings.provisioningSecret.key}; remove one of the two`;
    reader.problems.push(problemAt(source, { what, key }));
  }
}

function fromText(reader: Reader, { value, source }: Parsed<Secret>): FoundSecret {
  reader.sources[settings.provisioningSecret.key] = place(source);
  return { source, secret: value, warnings: [] };
}

function readSecretFile(
  reader: Reader,
  path: string,
  namedBy: Source,
  presence: 'required' | 'optional',
): FoundSecret | undefined {
  const source: Source = { name: path, via: 'credential' };
  const file = readTextFile(path, SECRET_FILE_BYTES_MAX);
  if (file.is === 'missing' && presence === 'optional') return undefined;
  if (file.is !== 'text') {
    const what = file.is === 'missing' ? 'does not exist' : file.what;
    reader.problems.push(
      namedBy.via === 'credential' ? problemAt(namedBy, { what }) : namedFileProblem(namedBy, path, what),
    );
    return { source, warnings: [] };
  }
  const warnings = (file.mode & OTHERS_MAY_READ) === 0 ? [] : [openFileWarning(path)];
  const secret = reader.judge(settings.provisioningSecret, file.text.replace(/\r?\n$/, ''), source);
  reader.sources[settings.provisioningSecret.key] = path;
  return secret === undefined ? { source, warnings } : { source, secret: secret.value, warnings };
}

function namedFileProblem(namedBy: Source, path: string, what: string): Problem {
  const { key, bound } = settings.provisioningSecretFile;
  return problemAt(namedBy, { what: `names ${path}, which ${what}`, key, bound });
}

export function openFileWarning(path: string): string {
  return `${path} holds the provisioning secret and every user of this host can read it; run: chmod o= ${path}`;
}
