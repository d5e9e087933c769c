/**
 * Finds the provisioning secret and the access token. The order of precedence is that of the introductions in example.ts:
 * systemd's credential, variable, file named by a variable, then file or value in the last configuration file that has one.
 * A secret and its file in one source are a problem. Only the effective file is read; one newline at its end is removed.
 */

import { join } from 'node:path';
import type { Secret } from '../../core/model/secret.ts';
import { formatSource, type Problem, problemAt, type Source } from '../errors/problem.ts';
import type { Setting } from '../schema/setting.ts';
import { settings } from '../schema/settings.ts';
import { locateHere, type NamedFilePlaces, readNamedFile } from './named-file.ts';
import { type FileText, readTextFile } from './read-text-file.ts';
import type { Parsed, Reader } from './reader.ts';

/** A secret with all its sources. */
export interface SecretKind {
  /** For messages. */
  readonly label: string;
  readonly inline: Setting<Secret>;
  readonly file: Setting<string>;
  /** Its name in systemd's credentials directory. */
  readonly credential: string;
}

export const PROVISIONING_SECRET: SecretKind = {
  label: 'provisioning secret',
  inline: settings.provisioningSecret,
  file: settings.provisioningSecretFile,
  credential: 'firstlight.secret',
};

export const DEVICE_TOKEN: SecretKind = {
  label: 'access token',
  inline: settings.deviceToken,
  file: settings.deviceTokenFile,
  credential: 'firstlight.token',
};

export type SecretResult =
  | { readonly is: 'none' }
  /** The reader has the problem. */
  | { readonly is: 'invalid' }
  /** The effective file does not exist, and was optional. `problem`: what it is if it was required after all. */
  | { readonly is: 'missing'; readonly path: string; readonly problem: Problem }
  | {
      readonly is: 'found';
      readonly secret: Secret;
      readonly source: Source;
      /** The file it comes from, if a setting named it. */
      readonly path?: string;
      readonly warnings: readonly string[];
    };

export interface SecretSearch extends NamedFilePlaces {
  readonly credentialsDirectory: string | undefined;
  /** Whether a file that a setting names must exist. */
  readonly namedFile: 'required' | 'optional';
}

const SECRET_FILE_BYTES_MAX = 4 * 1024;
const OTHERS_MAY_READ = 0o004;
const INVALID: SecretResult = { is: 'invalid' };

export function findSecret(reader: Reader, kind: SecretKind, search: SecretSearch): SecretResult {
  const { inline, files } = validateSecrets(reader, kind);
  if (search.credentialsDirectory !== undefined) {
    const found = readCredential(reader, kind, join(search.credentialsDirectory, kind.credential), search);
    if (found !== undefined) return found;
  }
  for (const via of ['environment', 'file'] as const) {
    const text = inline.findLast((each) => each.source.via === via);
    const file = files.findLast((each) => each.source.via === via);
    if (text !== undefined && !(file && reader.isLater(file.source, text.source))) {
      reader.sources[kind.inline.key] = formatSource(text.source);
      reader.values[kind.inline.key] = '***';
      return { is: 'found', secret: text.value, source: text.source, warnings: [] };
    }
    if (file !== undefined) return readConfiguredFile(reader, kind, file, search);
  }
  return reader.isSet(kind.inline) || reader.isSet(kind.file) ? INVALID : { is: 'none' };
}

/** Validates the settings without reading any file. */
export function validateSecrets(
  reader: Reader,
  kind: SecretKind,
): { readonly inline: readonly Parsed<Secret>[]; readonly files: readonly Parsed<string>[] } {
  const inline = reader.all(kind.inline);
  const files = reader.all(kind.file);
  for (const { source } of files) {
    if (!inline.some((each) => isSameSource(each.source, source))) continue;
    const what = `is set together with ${kind.inline.key}; remove one of the two`;
    reader.problems.push(problemAt(source, { what, key: kind.file.key }));
  }
  return { inline, files };
}

/** All variables together are one source; each file is one. */
function isSameSource(one: Source, other: Source): boolean {
  return one.via === other.via && (one.via === 'environment' || one.name === other.name);
}

function readCredential(
  reader: Reader,
  kind: SecretKind,
  path: string,
  { locate = locateHere }: NamedFilePlaces,
): SecretResult | undefined {
  const content = toSecret(reader, kind, path, readTextFile(locate(path), SECRET_FILE_BYTES_MAX));
  if (content.is === 'missing') return undefined;
  if (content.is !== 'unreadable') return content;
  reader.problems.push(problemAt({ name: path, via: 'credential' }, { what: content.what }));
  return INVALID;
}

function readConfiguredFile(
  reader: Reader,
  kind: SecretKind,
  { value: path, source }: Parsed<string>,
  { namedFile, ...places }: SecretSearch,
): SecretResult {
  const content = toSecret(reader, kind, path, readNamedFile(path, SECRET_FILE_BYTES_MAX, places));
  if (content.is === 'missing' || content.is === 'unreadable') {
    const what = content.is === 'missing' ? 'does not exist' : content.what;
    const problem = namedFileProblem(kind, source, path, what);
    if (content.is === 'missing' && namedFile === 'optional') return { is: 'missing', path, problem };
    reader.problems.push(problem);
    return INVALID;
  }
  return content.is === 'found' ? { ...content, path } : content;
}

function toSecret(reader: Reader, kind: SecretKind, path: string, file: FileText) {
  if (file.is !== 'text') return file;
  const source: Source = { name: path, via: 'credential' };
  const secret = reader.validate(kind.inline, file.text.replace(/\r?\n$/, ''), source);
  reader.sources[kind.inline.key] = path;
  reader.values[kind.inline.key] = '***';
  if (secret === undefined) return { is: 'invalid' } as const;
  const warnings = (file.mode & OTHERS_MAY_READ) === 0 ? [] : [openFileWarning(kind, path)];
  return { is: 'found', secret: secret.value, source, warnings } as const;
}

function namedFileProblem(kind: SecretKind, source: Source, path: string, what: string): Problem {
  const { key, bound } = kind.file;
  return problemAt(source, { what: `names ${path}, which ${what}`, key, bound });
}

export function openFileWarning(kind: Pick<SecretKind, 'label'>, path: string): string {
  return `${path} contains the ${kind.label} and is readable by every user of this host; run: chmod o= ${path}`;
}
