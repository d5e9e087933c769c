/**
 * How the gateway is to get in: with a fixed access token, or with the pair of a device profile, which it provisions with.
 *
 * The fixed token wins: beside it provisioning.* is judged, never used, and its files are not read. A pair needs both halves;
 * but under after-success = "forget" a secret file that is gone is what the agent itself has done, and no problem.
 */

import type { Config } from '../core/model/config.ts';
import type { Secret } from '../core/model/secret.ts';
import type { Source } from './errors/problem.ts';
import { type Setting, variableOf } from './schema/setting.ts';
import { settings } from './schema/settings.ts';
import { absent, type Reader } from './sources/reader.ts';
import {
  DEVICE_TOKEN,
  type FoundSecret,
  findSecret,
  judgeSecrets,
  openFileWarning,
  PROVISIONING_SECRET,
  type SecretKind,
} from './sources/secrets.ts';
import type { TomlFiles } from './sources/toml-files.ts';

export interface AccessRequest {
  readonly files: TomlFiles;
  readonly credentialsDirectory?: string | undefined;
  readonly credentialsHidden?: boolean;
}

export interface Access {
  readonly token?: Secret;
  readonly provisioning?: NonNullable<Config['provisioning']>;
  readonly forgottenSecretFile?: string;
  /** This user may not look where the provisioning secret may be. */
  readonly secretHidden?: true;
  readonly warnings: readonly string[];
}

export function readAccess(request: AccessRequest, reader: Reader): Access {
  const { credentialsDirectory } = request;
  const token = findSecret(reader, DEVICE_TOKEN, { credentialsDirectory, namedFile: 'required' });
  const pair = token.is === 'nowhere' ? readPair(request, reader) : passOver(reader);
  const warnings = [
    ...(token.is === 'there' ? token.warnings : []),
    ...pair.warnings,
    ...[DEVICE_TOKEN, PROVISIONING_SECRET].flatMap((kind) => inlineWarnings(request, kind)),
  ];
  return { ...pair, ...(token.is === 'there' && { token: token.secret }), warnings };
}

function inlineWarnings({ files }: AccessRequest, kind: SecretKind): readonly string[] {
  return files.all
    .filter(({ open, given }) => open && given.some((each) => each.setting === kind.inline))
    .map(({ path }) => openFileWarning(kind, path));
}

/** Judges what is given for provisioning, since the token may go away some day, and makes nothing of it. */
function passOver(reader: Reader): Access {
  reader.last(settings.provisioningKey);
  reader.last(settings.provisioningCredentials);
  reader.last(settings.provisioningAfterSuccess);
  judgeSecrets(reader, PROVISIONING_SECRET);
  const unused = [settings.provisioningKey, PROVISIONING_SECRET.inline, PROVISIONING_SECRET.file]
    .filter((setting: Setting) => reader.isGiven(setting))
    .map((setting) => setting.key);
  if (unused.length === 0) return { warnings: [] };
  const given = `${DEVICE_TOKEN.inline.key} is given together with ${unused.join(' and ')}`;
  return { warnings: [`${given}: the fixed token wins; provisioning.* is not used`] };
}

function readPair(request: AccessRequest, reader: Reader): Access {
  const key = reader.last(settings.provisioningKey);
  const credentials = reader.lastOrDefault(settings.provisioningCredentials);
  const afterSuccess = reader.lastOrDefault(settings.provisioningAfterSuccess);
  const found = findSecret(reader, PROVISIONING_SECRET, {
    credentialsDirectory: request.credentialsDirectory,
    namedFile: afterSuccess === 'forget' ? 'may be gone' : 'required',
  });
  if (found.is === 'gone') return { forgottenSecretFile: found.path, warnings: [] };
  if (found.is === 'nowhere' && key !== undefined && request.credentialsHidden)
    return { warnings: [HIDDEN], secretHidden: true };
  requireBothHalves(request, reader, found);
  if (found.is !== 'there') return { warnings: [] };
  const stays = afterSuccess === 'forget' && found.path === undefined;
  const warnings = [...found.warnings, ...(stays ? [cannotForget(reader)] : [])];
  if (key === undefined) return { warnings };
  const secretFile = found.path !== undefined && { secretFile: found.path };
  return { provisioning: { key, secret: found.secret, credentials, afterSuccess, ...secretFile }, warnings };
}

const HIDDEN =
  'the provisioning secret is where this user may not look, such as /etc/credstore, or missing: run it with sudo to be sure';

function cannotForget(reader: Reader): string {
  const where = reader.sources[PROVISIONING_SECRET.inline.key];
  return `provisioning.after-success is "forget", but the secret comes from ${where}, where the agent cannot delete it; put it into a file and name that with provisioning.secret-file`;
}

function requireBothHalves({ files }: AccessRequest, reader: Reader, found: FoundSecret): void {
  const keyGiven = reader.isGiven(settings.provisioningKey);
  const secretGiven = found.is !== 'nowhere';
  if (files.all.some(({ is }) => is === 'broken') || keyGiven === secretGiven) return;
  const [there, lacking] = keyGiven
    ? [settings.provisioningKey, settings.provisioningSecretFile]
    : [settings.provisioningSecret, settings.provisioningKey];
  const { main } = files;
  const source: Source =
    main.is === 'read' ? { name: main.path, via: 'file' } : { name: variableOf(lacking), via: 'environment' };
  reader.problems.push(absent(lacking, source, `is missing, though ${there.key} is given`));
}
